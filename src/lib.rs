//! Postern: a self-hostable OTP messaging platform with fraud guards.
//!
//! # The law
//! A module may use only modules listed above it here, or its own room. This list is the layering and the table of
//! contents; a test holds the code to it.

#[macro_use]
pub mod column;
pub mod secret;
pub mod clock;
pub mod ids;
pub mod phone;
pub mod money;
pub mod text;
pub mod otp;
pub mod terms;
pub mod recipient;
pub mod language;
pub mod error;
pub mod words;
pub mod recent;
pub mod failpoint;

// The ground: what the process stands on; knows no feature.
pub mod config;
pub mod db;
pub mod nodes;
pub mod limits;
pub mod http;
pub mod jobs;
pub mod providers;
pub mod app;
pub mod disk;

// The rooms: one feature each.
pub mod audit;
pub mod idempotency;
pub mod accounts;
pub mod signin;
pub mod wallet;
pub mod fraud;
pub mod alerts;
pub mod webhooks;
pub mod routing;
pub mod templates;
pub mod activations;
pub mod inbound;
pub mod whatsapp;
pub mod messages;
pub mod verifications;
pub mod sentinel;
pub mod broadcasts;
pub mod billing;
pub mod overview;
pub mod trials;
pub mod callbacks;
pub mod requests;
pub mod privacy;
pub mod health;
pub mod system;
pub mod admin;
pub mod console;

// The doors.
pub mod openapi;
pub mod worker;
pub mod server;
pub mod start;
pub mod simulator;
pub mod cli;
