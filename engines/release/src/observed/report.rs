//! What a watch of a cluster reports, one thing at a time.
//!
//! ```text
//! ListBegins · Pod · Pod · ListEnds · Pod · Gone · Alive · ListBegins …      (410: the list begins again)
//! ```

use super::pod::Pod;
use domain::Timestamp;
use record::claim::NodeInfo;

/// One thing that a watch reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A complete list of the pods follows: what stands in none of it is gone.
    ListBegins,
    /// A pod as it is now: listed, added or modified.
    Pod(Box<Pod>),
    /// The list was complete; from here on changes are reported.
    ListEnds,
    /// A pod was deleted; this was its last state.
    Gone(Box<Pod>),
    /// Everything until now was reported.
    Alive,
    /// The nodes, all of them.
    Nodes(Vec<Node>),
    /// A node as it is now.
    Node(Node),
    /// A node was deleted.
    NodeGone(String),
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Whether it answers.
    pub state: NodeState,
    /// What it is, where it tells.
    pub info: Option<NodeInfo>,
}

/// Whether a node's kubelet answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// It does: what its pods report is so.
    Answers,
    /// It does not; what its containers do is unknown.
    Silent {
        /// When it answered last, by the API server.
        since: Option<Timestamp>,
    },
}
