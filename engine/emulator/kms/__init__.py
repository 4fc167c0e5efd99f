"""KMS: what moto drops or lets pass (rotation period, key policies that are no JSON)."""
