//! The operators' API over a socket.

mod alerts;
mod changes;
mod messages;
mod overview;
mod roles;
mod system;
mod tail;
mod trials;
