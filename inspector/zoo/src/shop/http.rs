//! The routes.
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::Serialize;

use super::{Shop, audit::Entry, inventory::Offer, orders::Order};

pub(super) fn routes(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/offers", get(offers))
        .route("/quote/{sku}", get(quote))
        .route("/orders/{sku}", post(order))
        .route("/faults", get(faults))
        .route("/faults/{rule}/{state}", post(switch))
        .with_state(shop)
}

async fn offers(State(shop): State<Arc<Shop>>) -> Json<Vec<Offer>> {
    shop.audit.log(Entry::Asked(0));
    let offers = shop.inventory.offers().await;
    shop.audit.log(Entry::Answered(0));
    Json(offers)
}

async fn quote(State(shop): State<Arc<Shop>>, Path(sku): Path<u32>) -> Result<Json<u64>, StatusCode> {
    shop.audit.log(Entry::Asked(sku));
    let cents = shop.prices.quote(sku).await.ok_or(StatusCode::NOT_FOUND)?;
    shop.audit.log(Entry::Answered(sku));
    Ok(Json(cents))
}

async fn order(State(shop): State<Arc<Shop>>, Path(sku): Path<u32>) -> Result<Json<u64>, StatusCode> {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);

    shop.audit.log(Entry::Asked(sku));
    shop.inventory.reserve(sku).await.ok_or(StatusCode::NOT_FOUND)?;
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    shop.orders.send(Order { number, sku }).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    shop.audit.log(Entry::Answered(sku));
    Ok(Json(number))
}

#[derive(Serialize)]
struct Switch {
    rule: &'static str,
    on: bool,
    about: &'static str,
}

async fn faults(State(shop): State<Arc<Shop>>) -> Json<Vec<Switch>> {
    Json(shop.faults.all().map(|(fault, on)| Switch { rule: fault.rule, on, about: fault.about }).collect())
}

async fn switch(State(shop): State<Arc<Shop>>, Path((rule, state)): Path<(String, String)>) -> StatusCode {
    let on = match state.as_str() {
        "on" => true,
        "off" => false,
        _ => return StatusCode::NOT_FOUND,
    };
    if shop.faults.set(&rule, on) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}
