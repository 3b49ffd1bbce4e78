//! The OpenAPI document and the pages made of it.

use actix_web::web::ServiceConfig;

/// The public routes of the reference.
pub fn configure(_routes: &mut ServiceConfig) {}
