"""The report as a FHIR R4 bundle, so that a hospital's system can read it: doses and readings of one patient.

Plain dicts after http://hl7.org/fhir/R4/medicationadministration.html and .../observation-vitalsigns.html; a test
checks every bundle against the published structure.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from assistant.care.dose import Dose, State
from assistant.care.reading import KINDS, PANEL, Reading
from assistant.home import Household

Resource = dict[str, Any]
"""One FHIR resource; its keys are the standard's."""

SPACE = uuid.UUID("6f1a6f2e-5f0f-5d57-9a39-0b7f5a1c4f11")
"""Name space of our UUIDs: the same row has the same address in every export, so that a second import doubles nothing."""

STATUS: dict[State, str] = {
    State.TAKEN: "completed", State.SKIPPED: "not-done", State.MISSED: "not-done", State.UNKNOWN: "unknown",
}
"""medication-admin-status. A dose nobody heard of was not documented as taken: `not-done`, with the reason in words."""

PANEL_LOINC = {"blood_pressure": ("85354-9", "血压")}
"""LOINC panels whose parts are components of one Observation (vital signs profile)."""
LABORATORY = frozenset({"blood_glucose"})
"""Kinds that are no vital signs in FHIR's value set."""


SILENT: dict[State, str] = {State.MISSED: "没有回音", State.UNKNOWN: "不清楚", State.SKIPPED: "没说原因"}
"""Why, where she gave no reason."""


def bundle(household: Household, doses: Sequence[Dose], readings: Sequence[Reading], now: datetime) -> Resource:
    """A Bundle of type `collection`: the patient, every closed dose, every reading."""
    patient = _address("patient", household.elder.name)
    resources = [
        (patient, {"resourceType": "Patient", "name": [{"text": household.elder.name}]}),
        *((_address("dose", d.id), _dose(d, household, patient)) for d in doses if d.final),
        *((_address("reading", r.id), _reading(r, patient)) for r in readings),
    ]
    return {
        "resourceType": "Bundle", "type": "collection", "timestamp": _instant(now),
        "entry": [{"fullUrl": address, "resource": resource} for address, resource in resources],
    }


def as_fhir(household: Household, doses: Sequence[Dose], readings: Sequence[Reading], now: datetime) -> str:
    """The bundle as JSON."""
    return json.dumps(bundle(household, doses, readings, now), ensure_ascii=False, indent=1) + "\n"


def _address(kind: str, key: object) -> str:
    return f"urn:uuid:{uuid.uuid5(SPACE, f'{kind}/{key}')}"


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _dose(d: Dose, household: Household, patient: str) -> Resource:
    medicine = household.medicine(d.medicine)
    reason = d.reason or SILENT.get(d.state, "")
    return {
        "resourceType": "MedicationAdministration",
        "status": STATUS[d.state],
        **({"statusReason": [{"text": reason}]} if reason else {}),
        "medicationCodeableConcept": {"text": d.medicine},
        "subject": {"reference": patient},
        "effectiveDateTime": _instant(d.taken or d.due),
        # What the elder said, not what a nurse saw.
        "performer": [{"actor": {"reference": patient}}],
        "note": [{"text": f"该吃的时间 {_instant(d.due)}" if d.scheduled else "不在时间上，她自己说吃了"}],
        **({"dosage": {"text": medicine.dose}} if medicine is not None and medicine.dose else {}),
    }


def _reading(r: Reading, patient: str) -> Resource:
    names = PANEL.get(r.kind, (r.kind,))
    values = [(name, value) for name, value in zip(names, (r.value, r.second), strict=False) if value is not None]
    category = "laboratory" if r.kind in LABORATORY else "vital-signs"
    found: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": category}]}],
        "code": _code(*PANEL_LOINC[r.kind]) if r.kind in PANEL_LOINC else _code(KINDS[r.kind].loinc, KINDS[r.kind].name),
        "subject": {"reference": patient},
        "effectiveDateTime": _instant(r.at),
        "note": [{"text": "老人口述"}],
    }
    if r.kind in PANEL_LOINC:
        found["component"] = list(_components(values))
    else:
        found["valueQuantity"] = _quantity(*values[0])
    return found


def _components(values: list[tuple[str, float]]) -> Iterator[Resource]:
    for name, value in values:
        yield {"code": _code(KINDS[name].loinc, KINDS[name].name), "valueQuantity": _quantity(name, value)}


def _code(loinc: str, text: str) -> Resource:
    return {"coding": [{"system": "http://loinc.org", "code": loinc}], "text": text}


def _quantity(kind: str, value: float) -> Resource:
    unit = KINDS[kind].ucum
    return {"value": round(value, KINDS[kind].decimals), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
