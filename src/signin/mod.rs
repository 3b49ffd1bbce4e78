//! Operators at the console's door: passwords, second factors, sessions, one-time links, and guesses slowed down.
//!
//! `console_guard` stands before everything under `/console`: it turns the session's cookie into the `Operator` that the
//! admin API's own guard knows, and lets no form through that another site has sent. `headers` goes around it. The pages
//! of the door itself are in `pages/`; `configure` adds them to the scope `/console`.

mod cookies;
mod devices;
mod enter;
mod factor;
mod guard;
mod guesses;
mod links;
mod own;
mod pages;
mod passwords;
mod sessions;
mod signed;
mod store;
mod sweep;
mod totp;

pub use enter::{SignInState, sign_in_state};
pub use factor::remove_second_factor;
pub use guard::{console_guard, headers, is_token_of};
pub use links::{Link, first_link, invite};
pub use pages::{ask_for_password, configure, safe_next};
pub use sessions::{ConsoleSession, Session, end_session, end_sessions_of, find_session, is_still_in, list_sessions};
pub use sweep::purge_signin;
