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
  /// Whether the record was in the chain before, and is given back to a server that was set back.
  /// Commits beyond its cut, which such a server may have taken, are given up there.
  public let isRestored: Bool?

  public init(expectedHead: Digest32, record: Blob, isRestored: Bool? = nil) {
    self.expectedHead = expectedHead
    self.record = record
    self.isRestored = isRestored
  }
}

/// The answer to a ``MembershipRequest``, and of `GET /v1/membership?after=HASH` with the records.
public struct MembershipResponse: Hashable, Sendable, Codable {
  public let memberHead: Digest32
  public let records: [Blob]
  public let serverFrontier: Frontier
  /// What revoked devices said when they had erased themselves; nil where there are none.
  public let farewells: [Farewell]?

  public init(
    memberHead: Digest32, records: [Blob], serverFrontier: Frontier, farewells: [Farewell] = []
  ) {
    self.memberHead = memberHead
    self.records = records
    self.serverFrontier = serverFrontier
    self.farewells = farewells.isEmpty ? nil : farewells
  }
}

/// `POST /v1/farewell`: a revoked device's word that nothing of the account is left on it.
public struct Farewell: Hashable, Sendable, Codable {
  public static let signatureDomain = Array("ctx/v1/farewell".utf8)

  public let device: DeviceID
  /// Ed25519 by the device's authentication key over ``signedBytes(account:device:record:)``.
  public let signature: Blob

  public init(device: DeviceID, signature: Blob) {
    self.device = device
    self.signature = signature
  }

  /// The domain, the ids, and the digest of the record that took the device out.
  public static func signedBytes(
    account: AccountID, device: DeviceID, record: Digest32
  ) -> [UInt8] {
    signatureDomain + account.bytes + device.bytes + record.bytes
  }
}

/// The answer of `GET /v1/accounts/{account}/ending`: all that is left of a deleted account.
public struct EndingResponse: Hashable, Sendable, Codable {
  /// Of kind ``MembershipRecord/Kind/deleteAccount``.
  public let record: Blob

  public init(record: Blob) {
    self.record = record
  }
}
