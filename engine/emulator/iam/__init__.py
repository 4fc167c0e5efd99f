"""IAM: the client ids of OpenID Connect providers, which moto can't change."""
