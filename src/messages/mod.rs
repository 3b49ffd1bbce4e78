//! Messages: accepted in one transaction with every guard inside it, handed over later, followed to their end.

mod accept;
mod body;
mod content;
mod gates;
mod magic;
mod new;
mod recipient;
mod record;
mod row;
mod state;
mod store;
