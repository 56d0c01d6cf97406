//! A stand-in for a payment provider.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Form, Router,
    extract::{Query, State},
    response::Html,
    routing::get,
};

use super::Payment;

#[derive(Clone)]
pub(crate) struct Provider {
    site: String,
    back_to: String,
    paid: Arc<Mutex<HashSet<usize>>>,
}

impl Provider {
    pub(crate) fn new(site: String, back_to: String) -> Self {
        Self {
            site,
            back_to,
            paid: Arc::default(),
        }
    }

    pub(super) fn payment_url(&self, order: usize) -> String {
        format!("{}/pay?order={order}", self.site)
    }

    /// With a real provider, your server sends a request to the provider's, or checks a signature
    /// in the form.
    pub(super) fn was_paid(&self, order: usize) -> bool {
        let paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        paid.contains(&order)
    }

    /// The pages that the provider shows in the browser.
    pub(crate) fn pages(self) -> Router {
        Router::new()
            .route("/pay", get(ask).post(pay))
            .with_state(self)
    }
}

async fn ask(Query(Payment { order }): Query<Payment>) -> Html<String> {
    form("/pay", order, "Pay")
}

async fn pay(
    State(provider): State<Provider>,
    Form(Payment { order }): Form<Payment>,
) -> Html<String> {
    let mut paid = provider.paid.lock().unwrap_or_else(PoisonError::into_inner);
    paid.insert(order);
    form(&provider.back_to, order, "Back to the shop")
}

fn form(action: &str, order: usize, label: &str) -> Html<String> {
    Html(format!(
        r#"<!doctype html><title>Provider</title><main><form method="post" action="{action}">
  <input type="hidden" name="order" value="{order}"><button>{label}</button>
</form></main>"#
    ))
}
