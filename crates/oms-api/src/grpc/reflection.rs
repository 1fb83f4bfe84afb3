//! Reflection: clients learn the schemas from the server.

use super::schema::DESCRIPTORS;
use axum::Router;
use tonic_reflection::server::Builder;

/// Adds the service, in both of its versions.
pub fn add(router: Router) -> Router {
    let builder = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let (Ok(now), Ok(alpha)) = (builder().build_v1(), builder().build_v1alpha()) else {
        // A test asks the service.
        tracing::error!("the schemas cannot be reflected");
        return router;
    };
    router
        .route_service("/grpc.reflection.v1.ServerReflection/{method}", now)
        .route_service("/grpc.reflection.v1alpha.ServerReflection/{method}", alpha)
}
