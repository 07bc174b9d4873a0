"""The pipeline for Kubeflow Pipelines and Vertex AI."""
