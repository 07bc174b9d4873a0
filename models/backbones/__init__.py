"""Pretrained backbones by name: raw RGB in, pooled features out."""

from models.backbone_names import available_backbones, default_image_size
from models.backbones.registry import Backbone, build_backbone

__all__ = ["Backbone", "available_backbones", "build_backbone", "default_image_size"]
