"""Views: they read plans, outcomes and events, make lines or documents of them, and ask the engine for nothing."""
