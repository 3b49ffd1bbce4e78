//! What a live tail is narrowed to.

use serde::Deserialize;

use crate::ids::OrgId;
use crate::messages::ActivityView;
use crate::terms::{Channel, Mode};

/// What a tail is narrowed to.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TailFilter {
    /// By this channel; then without refusals.
    pub channel: Option<Channel>,
    /// Of this organization.
    pub org_id: Option<OrgId>,
    /// Messages that came to be so (`accepted`, `delivered`, …), or refusals that did so (`block`, `challenge`).
    #[param(example = "failed")]
    pub status: Option<String>,
    /// Live or test; both where absent.
    pub mode: Option<Mode>,
}

impl TailFilter {
    /// Whether it lets `line` through.
    pub(super) fn takes(&self, line: &ActivityView) -> bool {
        let status = line.what.split_once('.').map(|(_, status)| status);
        self.channel.is_none_or(|channel| line.channel == Some(channel))
            && self.org_id.is_none_or(|org| line.org_id == Some(org))
            && self.mode.is_none_or(|mode| line.mode == mode)
            && self.status.as_deref().is_none_or(|wanted| status == Some(wanted))
    }
}
