/// `POST /v1/sync`: both directions in one round trip. The server first takes `frames` in order,
/// each its own atomic unit, then answers with what the caller's `frontier` lacks.
public struct SyncRequest: Hashable, Sendable, Codable {
  /// The server's generation as last heard; null at first contact.
  public var generation: String?
  /// What the caller holds, `frames` not counted.
  public var frontier: Frontier
  /// The newest membership record the caller holds; null when it holds none.
  public var memberHead: Digest32?
  /// Envelopes the server lacks, as signed, in causal order: at most ``Limits/framesPerSync`` and
  /// ``Limits/frameBytesPerSync``.
  public var frames: [Blob]
  /// What the frames of the answer may add up to; at most ``Limits/pageBytes``.
  public var maxBytes: Int

  public init(
    generation: String?, frontier: Frontier, memberHead: Digest32?, frames: [Blob],
    maxBytes: Int = Limits.pageBytes
  ) {
    self.generation = generation
    self.frontier = frontier
    self.memberHead = memberHead
    self.frames = frames
    self.maxBytes = maxBytes
  }
}

/// The answer to a ``SyncRequest``.
public struct SyncResponse: Hashable, Sendable, Codable {
  /// What became of one frame of the request, in the request's order.
  public struct Outcome: Hashable, Sendable, Codable {
    public enum Status: String, Sendable, Codable {
      case accepted
      /// Held already, byte for byte: the answer to the first sending was lost.
      case known
      case refused
    }

    public let status: Status
    /// Why it was refused.
    public let problem: Problem?

    public init(status: Status, problem: Problem? = nil) {
      self.status = status
      self.problem = problem
    }
  }

  public var generation: String
  public var outcomes: [Outcome]
  /// Membership records after the caller's `memberHead`, oldest first.
  public var membership: [Blob]
  /// Envelopes the caller lacks, in causal order.
  public var frames: [Blob]
  /// What the server holds now.
  public var serverFrontier: Frontier
  public var memberHead: Digest32
  /// Whether the page was full and the caller should ask again.
  public var more: Bool
  /// The newest snapshot, when the caller lacks commits that only a snapshot still holds (then
  /// there are no frames), or more than ``Limits/snapshotInterval`` that this one covers.
  public var snapshot: SnapshotSummary?

  public init(
    generation: String, outcomes: [Outcome], membership: [Blob], frames: [Blob],
    serverFrontier: Frontier, memberHead: Digest32, more: Bool, snapshot: SnapshotSummary? = nil
  ) {
    self.snapshot = snapshot
    self.generation = generation
    self.outcomes = outcomes
    self.membership = membership
    self.frames = frames
    self.serverFrontier = serverFrontier
    self.memberHead = memberHead
    self.more = more
  }
}

/// `POST /v1/membership`: appends a record if the chain still ends where the author thinks.
public struct MembershipRequest: Hashable, Sendable, Codable {
  public let expectedHead: Digest32
  public let record: Blob

  public init(expectedHead: Digest32, record: Blob) {
    self.expectedHead = expectedHead
    self.record = record
  }
}

/// The answer to a ``MembershipRequest``, and of `GET /v1/membership?after=HASH` with the records.
public struct MembershipResponse: Hashable, Sendable, Codable {
  public let memberHead: Digest32
  public let records: [Blob]
  public let serverFrontier: Frontier

  public init(memberHead: Digest32, records: [Blob], serverFrontier: Frontier) {
    self.memberHead = memberHead
    self.records = records
    self.serverFrontier = serverFrontier
  }
}
