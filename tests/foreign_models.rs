//! Models that others made, as their exporters write them, and such as are made to do harm.

#[path = "foreign_models/exporters.rs"]
mod exporters;
mod given;
#[path = "foreign_models/hostile.rs"]
mod hostile;
mod needs;
#[path = "foreign_models/probabilities.rs"]
mod probabilities;
#[path = "foreign_models/table.rs"]
mod table;
