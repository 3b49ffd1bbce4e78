//! AWS SNS.

use super::super::concern::concern;
use super::super::fault::Wrong;
use super::super::kinds::BaseUrl;
use super::super::setting::any;
use super::originator::is_an_aws_originator_if_any;
use crate::secret::Secret;

concern! {
    /// AWS SNS. It reports no deliveries by HTTP: messages by it stay sent.
    pub struct SnsCarrier {
        /// The access key's id.
        access_key_id: String = required "AKIAIOSFODNN7EXAMPLE", "", any;
        /// The access key's secret.
        secret_access_key: Secret<String> = required "…", "", any;
        /// The token of temporary keys.
        session_token: Option<Secret<String>> = example "…", "", any;
        /// The region.
        region: String = required "eu-west-1", "", is_a_region;
        /// The sender: an alphanumeric id, or a number of the account.
        from: Option<String> = example "ACME", "", is_an_aws_originator_if_any;
        /// Where the API is. Default: the region's own address.
        base_url: Option<BaseUrl> = example "https://sns.eu-west-1.amazonaws.com", "", any;
    }
}

fn is_a_region(region: &String) -> Result<(), Wrong> {
    let fits = !region.is_empty() && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let wrong = || Wrong::new(format!("= {region:?} is not a region"), "write a name such as \"eu-west-1\"");
    if fits { Ok(()) } else { Err(wrong()) }
}
