//! A small HTTP client on one kept connection.
use std::{error::Error, net::SocketAddr};

use http_body_util::{BodyExt, Empty};
use hyper::{Method, Request, StatusCode, body::Bytes};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};

/// Asks one server over one connection that is kept open between requests.
#[derive(Debug, Clone)]
pub struct Client {
    server: SocketAddr,
    pool: Pool<HttpConnector, Empty<Bytes>>,
}

impl Client {
    /// A client of this server; connects at the first request.
    pub fn new(server: SocketAddr) -> Self {
        Self { server, pool: Pool::builder(TokioExecutor::new()).build_http() }
    }

    /// `GET path`: the status and the whole body.
    ///
    /// # Errors
    /// When the server cannot be reached, or breaks off.
    pub async fn get(&self, path: &str) -> Result<(StatusCode, Bytes), Box<dyn Error + Send + Sync>> {
        self.ask(Method::GET, path).await
    }

    /// `POST path` without a body: the status and the whole body of the answer.
    ///
    /// # Errors
    /// When the server cannot be reached, or breaks off.
    pub async fn post(&self, path: &str) -> Result<(StatusCode, Bytes), Box<dyn Error + Send + Sync>> {
        self.ask(Method::POST, path).await
    }

    async fn ask(&self, method: Method, path: &str) -> Result<(StatusCode, Bytes), Box<dyn Error + Send + Sync>> {
        let uri = format!("http://{}{path}", self.server);
        let request = Request::builder().method(method).uri(uri).body(Empty::new())?;
        let response = self.pool.request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}
