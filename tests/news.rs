//! Headlines: from text to sentiment, and from there into rows about prices.

#[path = "news/context.rs"]
mod context;
#[path = "news/daily.rs"]
mod daily;
mod given;
#[path = "news/golden.rs"]
mod golden;
#[path = "news/groups.rs"]
mod groups;
#[path = "news/items.rs"]
mod items;
mod needs;
#[path = "news/wordpiece.rs"]
mod wordpiece;
