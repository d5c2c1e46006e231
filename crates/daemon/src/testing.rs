//! Sessions without a socket, for the tests of helpers.

use std::sync::Arc;

use protocol::{ClientHello, Error};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cancel::CancelSlot;
use crate::client::Client;
use crate::registry::Module;
use crate::server::{Identity, Server};
use crate::session::Session;

/// Cancels what a session is doing, as the sentinel would.
pub fn cancel(slot: &CancelSlot) {
    slot.fire();
}

/// A session that runs calls one after another, as a frame client's would.
pub struct TestSession {
    session: Session,
    seq: u32,
}

impl TestSession {
    /// A session with these modules; its client is in the working directory of the test.
    pub fn new(modules: &[&'static Module]) -> Result<Self, Error> {
        let server = Server::new(modules.to_vec(), Identity::default())?;
        Ok(Self::in_server(&server))
    }

    /// Another session of the same server.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::in_server(self.session.server())
    }

    fn in_server(server: &Arc<Server>) -> Self {
        let cwd = std::env::current_dir().unwrap_or_default();
        let cwd = cwd.into_os_string().into_encoded_bytes().into();
        let hello = ClientHello { client: "test".into(), pid: std::process::id(), cwd, ..ClientHello::default() };
        let uid = rustix::process::getuid().as_raw();
        Self { session: Session::new(Arc::clone(server), Client::new(hello, uid), None), seq: 0 }
    }

    /// Calls `module.function`; the result is read from the image it answered with.
    pub fn call<T: DeserializeOwned>(&mut self, name: &str, params: &(impl Serialize + ?Sized)) -> Result<T, Error> {
        Ok(storable::from_slice(&self.call_image(name, &storable::to_vec(params)?)?)?)
    }

    /// The same with images on both sides.
    pub fn call_image(&mut self, name: &str, params: &[u8]) -> Result<Vec<u8>, Error> {
        self.seq += 1;
        let (mut answer, result) = self.session.run(self.seq, name, params, Vec::new());
        result?;
        Ok(answer.split_off(crate::call::HEAD_BYTES))
    }

    /// The session itself.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }
}
