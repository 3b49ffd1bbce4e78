//! The operators' API over a socket.

mod changes;
mod roles;
mod system;
