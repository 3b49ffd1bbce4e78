//! Postern's integration tests: one binary, so that the library is linked once.
//!
//! The database comes from `POSTERN_TEST_DATABASE`: a PostgreSQL address gives every test a database of its own there;
//! without it every test has an SQLite file of its own. `./tests/run` does both.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod activations;
#[cfg(test)]
mod admin;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod billing;
#[cfg(test)]
mod broadcasts;
#[cfg(test)]
mod callbacks;
#[cfg(test)]
mod canaries;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod console;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fraud;
#[cfg(test)]
mod fraud_lists;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod inbound;
#[cfg(test)]
mod languages;
#[cfg(test)]
mod limits_shared;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod meta;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod phones;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod sentinel;
#[cfg(test)]
mod signin;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod templates;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod verifications;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod whatsapp;
