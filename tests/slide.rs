//! Windows that cost one step are the windows that a model was trained on: held against ONNX Runtime and a
//! slow twin, on the files of every exporter and on recorded markets.
//!
//! How files are recognised is in `recurrent.rs`; bits on random networks, in every order of work, are
//! held beside the code.

mod given;
#[path = "given/naive.rs"]
mod naive;
mod needs;
#[path = "given/recurrent.rs"]
mod recurrent;

#[path = "slide/captures.rs"]
mod captures;
#[path = "slide/refused.rs"]
mod refused;
#[path = "slide/windows.rs"]
mod windows;
