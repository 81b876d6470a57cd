"""Notices into the store; what is not believed, into quarantine."""

from optoutkit.intake.flow import RETRY_FOR
from optoutkit.intake.intake import AsyncIntake, Hook, Intake, log_result
from optoutkit.intake.quarantine import Quarantine, QuarantinedMail
from optoutkit.intake.results import IntakeResult, IntakeStatus

__all__ = ["RETRY_FOR", "AsyncIntake", "Hook", "Intake", "IntakeResult", "IntakeStatus", "Quarantine", "QuarantinedMail", "log_result"]
