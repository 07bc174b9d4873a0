"""Finds the newest data and its fingerprint before TFX looks into its cache."""

import copy
import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from tfx.components.example_gen import utils
from tfx.dsl.components.base import base_driver as component_base_driver
from tfx.orchestration import data_types_utils, metadata
from tfx.orchestration.portable import base_driver, data_types
from tfx.proto.orchestration import driver_output_pb2

from components.example_gen.digests import DigestCache, fingerprint
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.kept_test import (
    KEPT_TEST,
    SPLIT_INPUTS,
    examples_to_keep,
    split_inputs,
)
from components.example_gen.replay import replayed_classes
from components.example_gen.sources.entries import LeftOut
from components.example_gen.sources.listing import list_locations, resolve
from components.example_gen.sources.refusals import RefusedSourceError, describe_all
from components.example_gen.sources.spans import Location

LOCATIONS = "locations"
"""Execution property: JSON of the locations that the path stands for, the oldest span first."""
FINGERPRINT = utils.FINGERPRINT_PROPERTY_NAME
"""Execution property, and custom property of the examples: digest of the data's content."""


class ImageExampleGenDriver(component_base_driver.BaseDriver, base_driver.BaseDriver):
    """Adds what the cache key needs to the execution properties.

    Data with the same fingerprint is not ingested again; any change of content, label, name or
    split is. Of the two bases TFX checks for the first and calls the second, as in its own
    drivers.
    """

    def __init__(self, metadata_handle: metadata.Metadata) -> None:
        """Takes the metadata store that TFX hands to every driver."""
        component_base_driver.BaseDriver.__init__(self, metadata_handle)
        base_driver.BaseDriver.__init__(self, metadata_handle)

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Resolves the path, fingerprints the data, and finds what must stay in the test split.

        Args:
            execution_info: parameters and outputs as the pipeline has them.

        Returns:
            Execution properties and the examples artifact, with fingerprint, span and version.

        Raises:
            BadDataError: nothing at the path can be ingested.
            UsageError: a column is missing.
        """
        properties = execution_info.exec_properties
        locations = resolve_source(properties)
        inputs = split_inputs(properties[FINGERPRINT], properties["settings"], properties["seed"])
        settings = IngestSettings.from_json(properties["settings"])
        if settings.keep_test:
            with self._metadata_handle as handle:
                properties[KEPT_TEST] = examples_to_keep(handle.store, inputs)
        if settings.replay:
            wanted = json.loads(properties.get("classes") or "null")
            found = replayed_classes(properties[KEPT_TEST], wanted)
            properties["classes"] = json.dumps(found)
        return _output(execution_info, locations[-1], inputs)


def resolve_source(properties: dict[str, Any]) -> Sequence[Location]:
    """Finds what the path stands for and fingerprints it.

    Args:
        properties: the component's parameters; `locations` and the fingerprint are added, and
            that no test images are kept.

    Returns:
        The locations, the oldest span first.

    Raises:
        BadDataError: nothing at the path can be ingested.
        UsageError: a column is missing.
    """
    settings = IngestSettings.from_json(properties["settings"])
    locations = resolve(properties["path"], settings.spans)
    listing = list_locations(locations, settings, json.loads(properties["columns"]))
    digests = DigestCache(properties["cache_dir"], locations[0].source).digests(listing.files)
    unread = [digest for digest in digests if isinstance(digest, LeftOut)]
    if len(unread) == len(digests):
        left_out = [*listing.left_out, *unread]
        raise RefusedSourceError(
            f"None of the {len(digests)} files in {listing.root} can be read."
            f" {describe_all(left_out)}",
            left_out,
        )
    properties[LOCATIONS] = json.dumps([dataclasses.astuple(each) for each in locations])
    properties[FINGERPRINT] = fingerprint(listing, digests)
    properties[KEPT_TEST] = ""
    return locations


def _output(
    execution_info: data_types.ExecutionInfo, location: Location, inputs: str
) -> driver_output_pb2.DriverOutput:
    result = driver_output_pb2.DriverOutput()
    for key, value in execution_info.exec_properties.items():
        if value is not None:
            data_types_utils.set_metadata_value(result.exec_properties[key], value)
    examples = copy.deepcopy(execution_info.output_dict["examples"][0].mlmd_artifact)
    custom = examples.custom_properties
    custom[FINGERPRINT].string_value = execution_info.exec_properties[FINGERPRINT]
    custom[KEPT_TEST].string_value = execution_info.exec_properties[KEPT_TEST]
    custom[SPLIT_INPUTS].string_value = inputs
    custom[utils.SPAN_PROPERTY_NAME].int_value = location.span
    if location.version is not None:
        custom[utils.VERSION_PROPERTY_NAME].int_value = location.version
    result.output_artifacts["examples"].artifacts.append(examples)
    return result
