//! One battery of faults for every venue: what is lost is found, what is `ok` is true, and books come back.

mod given;

#[path = "venues/battery.rs"]
mod battery;
#[path = "venues/client.rs"]
mod client;
#[path = "venues/market.rs"]
mod market;
#[path = "venues/proxy.rs"]
mod proxy;
#[path = "venues/wire.rs"]
mod wire;
