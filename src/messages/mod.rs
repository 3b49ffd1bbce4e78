//! Messages: accepted in one transaction with every guard inside it, handed over later, followed to their end.

mod accept;
mod body;
mod content;
mod dispatch;
mod gates;
mod magic;
mod new;
mod prepare;
mod progress;
mod queue;
mod recipient;
mod record;
mod row;
mod settle;
mod state;
mod store;
mod tables;
