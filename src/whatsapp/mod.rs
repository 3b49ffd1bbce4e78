//! WhatsApp: numbers and the portfolios whose tier they share, their quality; unique contacts in a moving 24 h; sessions.
//!
//! Reading order: `ladder` and `standing` (tiers, when they move), `window` (contacts), `sessions`: pure. Then `numbers`,
//! `chats` (what the accepting transaction asks), `room` (the same for others), `change`, `leave` and `stop`, `reports` (Meta's
//! word), `review` (the job).

mod change;
mod chats;
mod http;
mod ladder;
mod leave;
mod numbers;
mod reports;
mod review;
mod room;
mod sessions;
mod standing;
mod stop;
mod store;
mod told;
mod view;
mod window;

pub use change::{NewNumber, NumberChange, TierChange, change_number, create_number};
pub use chats::{Asked, Chats, WindowKey, load_chats, other_names, save_chats, sessions_of};
pub use http::{WhatsappDocs, configure};
pub use ladder::{ContactLimit, Ladder, TierName};
pub use leave::remove_number;
pub use numbers::{Number, Numbers, Portfolio};
pub use reports::take_number_reports;
pub use review::{REVIEW_EVERY, purge_whatsapp, review_tiers};
pub use room::{Room, count_now, room_of, tier_verdicts};
pub use sessions::{Person, SESSION, Sessions};
pub use standing::{Manager, NumberStatus, Quality};
pub use stop::block_number;
pub use view::{AdminNumberView, NumberView, SessionView, list_for_operators, show_to_operators};
pub use window::{CONTACT_WINDOW, ContactWindow};

use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::WhatsappNumberId;

/// Every number there is, oldest first.
pub fn load_numbers(conn: &mut Conn) -> Result<Vec<Number>> {
    store::load_numbers(conn)
}

/// One number. Error: `not_found`.
pub fn load_number(conn: &mut Conn, id: WhatsappNumberId) -> Result<Number> {
    store::find_number(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))
}
