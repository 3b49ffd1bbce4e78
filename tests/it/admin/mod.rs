//! The operators' API over a socket.

mod changes;
mod messages;
mod roles;
mod system;
