//! The pure part of routing: which routes may take a message, best first.

use crate::ids::{OrgId, RouteId};
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::Channel;

/// A way to a carrier. An absent member matches everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// For this channel.
    pub channel: Channel,
    /// To this country.
    pub country: Option<Country>,
    /// To numbers that start so (E.164 with plus).
    pub prefix: Option<String>,
    /// For this organization.
    pub org_id: Option<OrgId>,
    /// The carrier's name in configuration.
    pub carrier: String,
    /// Lower goes first.
    pub priority: i32,
    /// Share among routes of one priority. Zero: a last resort, the cheapest first.
    pub weight: i32,
    /// What the carrier charges us: each segment (SMS) or message (the rest).
    pub price: Option<(Micros, Currency)>,
    /// Taken out of use by an operator.
    pub paused: bool,
}

/// What is to be routed.
#[derive(Debug, Clone, Copy)]
pub struct Want<'a> {
    /// The channel of this hand-off.
    pub channel: Channel,
    /// The recipient's country.
    pub country: Option<Country>,
    /// E.164 or a mail address.
    pub recipient: &'a str,
    /// Whose message.
    pub org_id: OrgId,
}

/// The routes that may take `want`, not paused, in order: those of the organization itself before the general ones,
/// then the longer prefix, then the own country, then the lower priority number. Only the most particular group that
/// has any route counts, so that a general route never undercuts a route made for an organization or a country.
pub fn eligible<'a>(routes: &'a [Route], want: &Want<'_>) -> Vec<&'a Route> {
    let mut fitting: Vec<&Route> = routes.iter().filter(|route| !route.paused && route.matches(want)).collect();
    let Some(best) = fitting.iter().map(|route| route.rank()).max() else { return fitting };
    fitting.retain(|route| route.rank() == best);
    fitting.sort_by_key(|route| route.priority);
    fitting
}

impl Route {
    fn matches(&self, want: &Want<'_>) -> bool {
        self.channel == want.channel
            && self.org_id.is_none_or(|org| org == want.org_id)
            && self.country.is_none_or(|country| want.country == Some(country))
            && self.prefix.as_deref().is_none_or(|prefix| want.recipient.starts_with(prefix))
    }

    /// Whether both are the same way: what a new list says of this one is said of the other.
    pub fn is_same_way(&self, other: &Route) -> bool {
        let way = |route: &'_ Route| (route.channel, route.country, route.org_id);
        way(self) == way(other) && self.prefix == other.prefix && self.carrier == other.carrier
    }

    fn rank(&self) -> (bool, usize, bool) {
        (self.org_id.is_some(), self.prefix.as_ref().map_or(0, String::len), self.country.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    fn route(carrier: &str, priority: i32) -> Route {
        Route {
            id: RouteId::new(Millis(1)),
            channel: Channel::Sms,
            country: None,
            prefix: None,
            org_id: None,
            carrier: String::from(carrier),
            priority,
            weight: 1,
            price: None,
            paused: false,
        }
    }

    fn names(routes: &[Route], org: OrgId) -> Vec<String> {
        let want = Want { channel: Channel::Sms, country: "GB".parse().ok(), recipient: "+447400123456", org_id: org };
        eligible(routes, &want).into_iter().map(|route| route.carrier.clone()).collect()
    }

    #[test]
    fn the_most_particular_group_counts_in_order_of_priority() {
        let org = OrgId::new(Millis(1));
        let general = vec![route("b", 2), route("a", 1), Route { paused: true, ..route("p", 0) }];
        assert_eq!(names(&general, org), ["a", "b"]);
        let mut with_country = general.clone();
        with_country.push(Route { country: "GB".parse().ok(), ..route("gb", 9) });
        assert_eq!(names(&with_country, org), ["gb"]);
        with_country.push(Route { org_id: Some(org), ..route("own", 9) });
        assert_eq!(names(&with_country, org), ["own"]);
        assert_eq!(names(&with_country, OrgId::new(Millis(2))), ["gb"]);
        assert!(names(&[Route { channel: Channel::Email, ..route("m", 1) }], org).is_empty());
    }
}
