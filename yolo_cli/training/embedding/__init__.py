"""Embedding networks: images of identities → a network whose vectors tell identities apart."""
