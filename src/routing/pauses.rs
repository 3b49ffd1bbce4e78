//! The kill switch: what operators have stopped. New sends are refused, and what waits is not handed over until it is
//! resumed. Live traffic only: what a test key sends reaches no carrier.

use serde::Serialize;
use utoipa::ToSchema;

use super::Want;
use crate::clock::Millis;
use crate::ids::RouteId;

crate::text_enum! {
    /// What a pause stops.
    pub enum PauseScope {
        /// Every live message.
        All = "all",
        /// Those of one organization.
        Org = "org",
        /// Those to one country.
        Country = "country",
        /// Those by one route: others that fit are used.
        Route = "route",
    }
}

/// Something that an operator has stopped.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Pause {
    /// What it stops.
    pub scope: PauseScope,
    /// Which organization, country or route; empty for all.
    #[schema(example = "LV")]
    pub value: String,
    /// Why.
    pub reason: Option<String>,
    /// Who: an operator's id.
    pub author: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

/// Everything that is stopped.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pauses(pub Vec<Pause>);

impl Pauses {
    /// The pause that stops `want`, whatever its route.
    pub fn stops(&self, want: &Want<'_>) -> Option<&Pause> {
        self.0.iter().find(|pause| match pause.scope {
            PauseScope::All => true,
            PauseScope::Org => pause.value == want.org_id.as_str(),
            PauseScope::Country => want.country.is_some_and(|country| pause.value == country.as_str()),
            PauseScope::Route => false,
        })
    }

    /// Whether a route is stopped.
    pub fn stops_route(&self, id: RouteId) -> bool {
        self.0.iter().any(|pause| pause.scope == PauseScope::Route && pause.value == id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrgId;
    use crate::terms::Channel;

    #[test]
    fn a_pause_stops_what_it_names_and_nothing_else() {
        let (org, other) = (OrgId::new(Millis(1)), OrgId::new(Millis(2)));
        let pause = |scope, value: &str| {
            let value = String::from(value);
            Pauses(vec![Pause { scope, value, reason: None, author: String::new(), created_at: Millis(1) }])
        };
        let want = |org_id, country: &str| Want {
            channel: Channel::Sms,
            country: country.parse().ok(),
            recipient: "+1",
            org_id,
        };
        assert!(pause(PauseScope::All, "").stops(&want(org, "GB")).is_some());
        let of_org = pause(PauseScope::Org, org.as_str());
        assert!(of_org.stops(&want(org, "GB")).is_some() && of_org.stops(&want(other, "GB")).is_none());
        let of_country = pause(PauseScope::Country, "LV");
        assert!(of_country.stops(&want(org, "LV")).is_some() && of_country.stops(&want(org, "GB")).is_none());
        assert!(pause(PauseScope::Route, "rte_x").stops(&want(org, "GB")).is_none());
        assert!(Pauses::default().stops(&want(org, "GB")).is_none());
    }
}
