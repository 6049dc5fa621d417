//! One battery of faults for every venue: what is lost is found, what is `ok` is true, and books come back.

mod given;

#[path = "venues/battery.rs"]
mod battery;
#[path = "venues/cases.rs"]
mod cases;
#[path = "venues/client.rs"]
mod client;
#[path = "venues/judge.rs"]
mod judge;
#[path = "venues/market.rs"]
mod market;
#[path = "venues/numerals.rs"]
mod numerals;
#[path = "venues/proxy.rs"]
mod proxy;
#[path = "venues/quote_wire.rs"]
mod quote_wire;
#[path = "venues/quotes.rs"]
mod quotes;
#[path = "venues/relay.rs"]
mod relay;
#[path = "venues/run.rs"]
mod run;
#[path = "venues/sockets.rs"]
mod sockets;
#[path = "venues/trade_wire.rs"]
mod trade_wire;
#[path = "venues/wire.rs"]
mod wire;
#[path = "venues/world.rs"]
mod world;
