"""Pretrained backbones by name: raw RGB in, pooled features out."""

from models.backbones.registry import (
    Backbone,
    available_backbones,
    build_backbone,
    default_image_size,
)

__all__ = ["Backbone", "available_backbones", "build_backbone", "default_image_size"]
