import Foundation

/// What went wrong, as `application/problem+json` (RFC 9457).
///
/// `code` is stable and the only part a program may decide by; `detail` is for people.
public struct Problem: Error, Hashable, Sendable, Codable {
  /// A code of the table below, or one a later server invented.
  public struct Code: Hashable, Sendable, Codable, RawRepresentable {
    public let rawValue: String

    public init(rawValue: String) {
      self.rawValue = rawValue
    }
  }

  public static let mediaType = "application/problem+json"

  public let code: Code
  public let status: Int
  public let title: String
  public let detail: String?
  /// Whether the same request may succeed later.
  public let retryable: Bool
  public let retryAfterSeconds: Int?
  /// For ``Code/missingDependencies``: what the server lacks.
  public let missing: Frontier?
  /// For ``Code/deviceFork``: what the server holds at that sequence.
  public let held: Frontier?

  public init(
    _ code: Code, detail: String? = nil, retryAfterSeconds: Int? = nil, missing: Frontier? = nil,
    held: Frontier? = nil
  ) {
    let row = Self.table[code] ?? Row(500, retryable: true, "Something failed")
    self.code = code
    self.status = row.status
    self.title = row.title
    self.detail = detail
    self.retryable = row.retryable
    self.retryAfterSeconds = retryAfterSeconds
    self.missing = missing
    self.held = held
  }

  private enum CodingKeys: String, CodingKey {
    case code, status, title, detail, retryable, missing, held
    case retryAfterSeconds = "retry_after_s"
  }
}

extension Problem.Code {
  public static let authenticationExpired = Self(rawValue: "auth_expired")
  public static let authenticationFailed = Self(rawValue: "auth_failed")
  public static let authenticationRevoked = Self(rawValue: "auth_revoked")
  public static let badSignature = Self(rawValue: "bad_signature")
  public static let malformed = Self(rawValue: "malformed")
  public static let unknownDevice = Self(rawValue: "unknown_device")
  public static let chainGap = Self(rawValue: "chain_gap")
  public static let missingDependencies = Self(rawValue: "missing_deps")
  public static let deviceFork = Self(rawValue: "device_fork")
  public static let deviceRolledBack = Self(rawValue: "device_rolled_back")
  public static let staleMembership = Self(rawValue: "stale_membership")
  public static let staleEpoch = Self(rawValue: "stale_epoch")
  public static let generationChanged = Self(rawValue: "generation_changed")
  public static let snapshotRequired = Self(rawValue: "snapshot_required")
  public static let snapshotNotDominating = Self(rawValue: "snapshot_not_dominating")
  public static let tooLarge = Self(rawValue: "too_large")
  public static let tooMany = Self(rawValue: "too_many")
  public static let quota = Self(rawValue: "quota")
  public static let rateLimited = Self(rawValue: "rate_limited")
  public static let protocolTooOld = Self(rawValue: "proto_too_old")
  public static let protocolTooNew = Self(rawValue: "proto_too_new")
  public static let readOnlyMaintenance = Self(rawValue: "read_only_maintenance")
  public static let storageFull = Self(rawValue: "storage_full")
  public static let internalFailure = Self(rawValue: "internal")
  public static let notFound = Self(rawValue: "not_found")
  public static let methodNotAllowed = Self(rawValue: "method_not_allowed")
  public static let accountExists = Self(rawValue: "account_exists")
  public static let inviteRequired = Self(rawValue: "invite_required")
  /// The pairing code was used, has expired, or never was.
  public static let mailboxGone = Self(rawValue: "mailbox_gone")
  public static let draining = Self(rawValue: "draining")
}

extension Problem {
  private struct Row {
    let status: Int
    let retryable: Bool
    let title: String

    init(_ status: Int, retryable: Bool, _ title: String) {
      self.status = status
      self.retryable = retryable
      self.title = title
    }
  }

  /// The one table from code to HTTP status. Authentication failures all look alike.
  private static let table: [Code: Row] = [
    .authenticationExpired: Row(
      401, retryable: true, "The access token expired"),
    .authenticationFailed: Row(
      401, retryable: false, "Not authenticated"),
    .authenticationRevoked: Row(
      401, retryable: false, "The device was revoked"),
    .badSignature: Row(
      422, retryable: false, "A signature does not verify"),
    .malformed: Row(
      400, retryable: false, "The request does not read"),
    .unknownDevice: Row(422, retryable: false, "The author is not a device of this account"),
    .chainGap: Row(409, retryable: true, "An earlier commit of the device is missing"),
    .missingDependencies: Row(409, retryable: true, "A commit it depends on is missing"),
    .deviceFork: Row(409, retryable: false, "Another commit stands at that sequence"),
    .deviceRolledBack: Row(409, retryable: false, "The device forgot commits it made"),
    .staleMembership: Row(
      409, retryable: true, "The membership chain has moved on"),
    .staleEpoch: Row(
      409, retryable: true, "The epoch has moved on"),
    .generationChanged: Row(
      409, retryable: true, "The server was restored"),
    .snapshotRequired: Row(410, retryable: false, "The commits were pruned; a snapshot is needed"),
    .snapshotNotDominating: Row(
      409, retryable: false, "The snapshot does not cover what the server holds"),
    .tooLarge: Row(
      413, retryable: false, "Too large"),
    .tooMany: Row(
      413, retryable: false, "Too many"),
    .quota: Row(
      507, retryable: false, "The account's space is used up"),
    .rateLimited: Row(
      429, retryable: true, "Too many requests"),
    .protocolTooOld: Row(
      426, retryable: false, "The client is too old"),
    .protocolTooNew: Row(
      426, retryable: false, "The client is too new"),
    .readOnlyMaintenance: Row(503, retryable: true, "The server takes no changes now"),
    .storageFull: Row(
      507, retryable: true, "The server's disk is full"),
    .internalFailure: Row(
      500, retryable: true, "The server failed"),
    .notFound: Row(
      404, retryable: false, "Nothing is here"),
    .methodNotAllowed: Row(
      405, retryable: false, "That method does not work here"),
    .accountExists: Row(
      409, retryable: false, "That account name is taken"),
    .inviteRequired: Row(
      403, retryable: false, "An invite is needed"),
    .mailboxGone: Row(410, retryable: false, "The pairing code was used or has expired"),
    .draining: Row(
      503, retryable: true, "The server is stopping"),
  ]
}
