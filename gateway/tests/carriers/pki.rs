//! An authority, what it signed for these tests, and who shows it.

use axum::Router;
use kubeplex_link::identity::Identity;
use kubeplex_link::trust::Trust;
use kubeplex_test_support::ingress;
use kubeplex_test_support::pki::{Authority, Issued, TlsFolder};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The names that its certificate is for: this machine, and one that only a proxy knows the way to.
pub(crate) const FAR_AWAY: &str = "gateway.test";

/// An authority, and what it signed.
pub(crate) struct Pki {
    folder: TlsFolder,
    issued: Issued,
}

impl Pki {
    pub(crate) fn new() -> Self {
        let (authority, folder) = (Authority::new(), TlsFolder::new());
        let issued = authority.issue_for(&["localhost", FAR_AWAY]);
        folder.put(&issued);
        folder.trust(&authority);
        Self { folder, issued }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::ca_file(&self.folder.ca_file()).unwrap()
    }

    /// Of an agent that listens.
    pub(crate) fn identity(&self) -> Identity {
        Identity::from_files(&self.folder.cert_file(), &self.folder.key_file()).unwrap()
    }

    /// Serves `app` as an ingress does.
    pub(crate) fn serve(&self, listener: TcpListener, app: Router) -> JoinSet<()> {
        ingress::serve(listener, &self.issued, app)
    }
}
