//! Records about companies and persons, from file and topic to grades and probabilities.

#[path = "credit/alerts.rs"]
mod alerts;
#[path = "credit/applicants.rs"]
mod applicants;
#[path = "credit/bad_records.rs"]
mod bad_records;
#[path = "credit/foreign_model.rs"]
mod foreign_model;
mod given;
#[path = "credit/golden.rs"]
mod golden;
mod needs;
#[path = "credit/periods.rs"]
mod periods;
#[path = "credit/privacy.rs"]
mod privacy;
#[path = "credit/several_inputs.rs"]
mod several_inputs;
#[path = "credit/tables.rs"]
mod tables;
