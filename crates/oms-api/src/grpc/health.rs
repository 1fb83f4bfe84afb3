//! The health service: the server is serving where `GET /health/ready` says that it is ready.

use super::schema::services;
use crate::api::until;
use crate::tenants::Tenants;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use futures_util::stream::{BoxStream, unfold};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tonic::{Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// How often it is looked whether that has changed.
const PACE: Duration = Duration::from_secs(1);
/// The most who watch at once. Nobody says who he is here, so they have no place among the streams of those who trade.
const MAX_WATCHERS: usize = 64;

/// Adds the service.
pub fn add(router: Router, tenants: Tenants) -> Router {
    router.route_service(
        "/grpc.health.v1.Health/{method}",
        HealthServer::new(Ready { tenants, watchers: Arc::new(Semaphore::new(MAX_WATCHERS)) }),
    )
}

#[derive(Clone)]
struct Ready {
    tenants: Tenants,
    watchers: Arc<Semaphore>,
}

impl Ready {
    async fn status(&self) -> ServingStatus {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = http::Uri::from_static("/api/v1/health/ready");
        if self.tenants.answer(request).await.status().is_success() { ServingStatus::Serving } else { ServingStatus::NotServing }
    }
}

fn knows(service: &str) -> bool {
    service.is_empty() || services().iter().any(|name| name == service)
}

fn said(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl Health for Ready {
    async fn check(&self, request: tonic::Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        if !knows(&request.get_ref().service) {
            return Err(Status::not_found("there is no such service"));
        }
        Ok(Response::new(said(self.status().await)))
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    /// What it is, and then whenever that is another.
    async fn watch(&self, request: tonic::Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let Some(api) = self.tenants.all().into_iter().next() else { return Err(Status::unavailable("nobody is served")) };
        let watchers = Arc::clone(&self.watchers);
        let place = watchers.try_acquire_owned().map_err(|_| Status::unavailable("there are too many who watch"))?;
        let known = knows(&request.get_ref().service);
        let (ready, closing) = (self.clone(), api.closing());
        let watching = unfold((None, closing, place), move |(told, mut closing, place)| {
            let ready = ready.clone();
            async move {
                loop {
                    let now = if known { ready.status().await } else { ServingStatus::ServiceUnknown };
                    if told != Some(now) {
                        return Some((Ok(said(now)), (Some(now), closing, place)));
                    }
                    tokio::select! {
                        () = tokio::time::sleep(PACE) => (),
                        _ = until(&mut closing, |closing| *closing) => return None,
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(watching)))
    }
}
