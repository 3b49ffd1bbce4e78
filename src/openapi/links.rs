//! Which answers lead where: the OpenAPI links between what makes a thing and what reads or changes it.

use serde_json::{Map, Value, json};

/// The answer of an operation, the member of it that is an id, and the operations that take that id.
struct Lead {
    from: &'static str,
    status: &'static str,
    id: &'static str,
    to: &'static [&'static str],
}

const LEADS: [Lead; 4] = [
    Lead {
        from: "send_message",
        status: "202",
        id: "id",
        to: &["show_message", "list_message_events", "cancel_message", "give_feedback"],
    },
    Lead {
        from: "create_activation",
        status: "201",
        id: "id",
        to: &["show_activation", "ready_activation", "retry_activation", "complete_activation", "cancel_activation"],
    },
    Lead { from: "send_bulk", status: "202", id: "batch_id", to: &["show_batch"] },
    Lead {
        from: "start_verification",
        status: "201",
        id: "id",
        to: &["show_verification", "check_verification", "resend_verification", "next_step", "cancel_verification"],
    },
];

/// Adds its links to an operation.
pub fn add_links(operation: &mut Value) {
    let Some(name) = operation.get("operationId").and_then(Value::as_str) else { return };
    let Some(lead) = LEADS.iter().find(|lead| lead.from == name) else { return };
    let of = |to: &&str| {
        let id = format!("$response.body#/{}", lead.id);
        ((*to).to_owned(), json!({"operationId": to, "parameters": {"id": id}}))
    };
    let links: Map<String, Value> = lead.to.iter().map(of).collect();
    let answer = operation.get_mut("responses").and_then(|responses| responses.get_mut(lead.status));
    if let Some(answer) = answer.and_then(Value::as_object_mut) {
        answer.insert("links".into(), links.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi::document;
    use crate::openapi::finish::operations;

    #[test]
    fn every_link_leads_from_an_answer_to_an_operation() {
        let document = document("/");
        let find = |name: &str| {
            operations(&document).map(|(_, _, operation)| operation).find(|one| one["operationId"] == name)
        };
        for lead in &LEADS {
            let links = &find(lead.from).unwrap()["responses"][lead.status]["links"];
            assert_eq!(links.as_object().unwrap().len(), lead.to.len());
            assert!(lead.to.iter().all(|to| find(to).is_some()), "{}", lead.from);
        }
    }
}
