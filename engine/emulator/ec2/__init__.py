"""EC2: what moto lacks of it or does otherwise than the real service, where a platform's network would notice."""
