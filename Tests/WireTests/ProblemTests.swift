import Testing

@testable import Wire

@Suite struct ProblemTests {
  /// Every code with its status and whether the same request may succeed later.
  static let table: [(code: String, status: Int, retryable: Bool)] = [
    ("auth_expired", 401, true), ("auth_failed", 401, false), ("auth_revoked", 401, false),
    ("bad_signature", 422, false), ("malformed", 400, false), ("unknown_device", 422, false),
    ("chain_gap", 409, true), ("missing_deps", 409, true), ("device_fork", 409, false),
    ("device_rolled_back", 409, false), ("stale_membership", 409, true),
    ("stale_epoch", 409, true), ("generation_changed", 409, true),
    ("snapshot_required", 410, false), ("snapshot_not_dominating", 409, false),
    ("too_large", 413, false), ("too_many", 413, false), ("quota", 507, false),
    ("rate_limited", 429, true), ("proto_too_old", 426, false), ("proto_too_new", 426, false),
    ("read_only_maintenance", 503, true), ("storage_full", 507, true), ("internal", 500, true),
    ("not_found", 404, false), ("method_not_allowed", 405, false), ("account_exists", 409, false),
    ("invite_required", 403, false), ("mailbox_gone", 410, false), ("draining", 503, true),
  ]

  @Test(arguments: table)
  func everyCodeHasItsStatusAndComesBack(code: String, status: Int, retryable: Bool) throws {
    let problem = Problem(Problem.Code(rawValue: code), detail: "because")
    #expect(problem.status == status)
    #expect(problem.retryable == retryable)
    #expect(!problem.title.isEmpty)
    #expect(problem.title != "Something failed")
    #expect(try decoded(Problem.self, try json(problem)) == problem)
  }

  @Test func theNamesOfTheCodesAreTheTable() {
    let named: [Problem.Code] = [
      .authenticationExpired, .authenticationFailed, .authenticationRevoked, .badSignature,
      .malformed, .unknownDevice, .chainGap, .missingDependencies, .deviceFork, .deviceRolledBack,
      .staleMembership, .staleEpoch, .generationChanged, .snapshotRequired, .snapshotNotDominating,
      .tooLarge, .tooMany, .quota, .rateLimited, .protocolTooOld, .protocolTooNew,
      .readOnlyMaintenance, .storageFull, .internalFailure, .notFound, .methodNotAllowed,
      .accountExists, .inviteRequired, .mailboxGone, .draining,
    ]
    #expect(named.map(\.rawValue) == Self.table.map(\.code))
  }

  @Test func authenticationFailuresLookAlike() {
    #expect(Problem(.authenticationFailed).title == "Not authenticated")
    #expect(
      Set([Problem.Code.authenticationFailed, .authenticationExpired].map { Problem($0).status })
        == [401])
  }

  @Test func itIsWrittenWithAllItsFacts() throws {
    try expect(
      Problem(.rateLimited, detail: "Wait.", retryAfterSeconds: 3),
      is: #"{"code":"rate_limited","detail":"Wait.","retry_after_s":3,"retryable":true,"#
        + #""status":429,"title":"Too many requests"}"#)
    let head = Frontier([Sample.device: Head(sequence: 41, hash: Sample.digest(0))])
    let text =
      #"[{"device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","#
      + #""hash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","sequence":41}]"#
    try expect(
      Problem(.missingDependencies, missing: head),
      is: #"{"code":"missing_deps","missing":\#(text),"retryable":true,"status":409,"#
        + #""title":"A commit it depends on is missing"}"#)
    try expect(
      Problem(.deviceFork, held: head),
      is: #"{"code":"device_fork","held":\#(text),"retryable":false,"status":409,"#
        + #""title":"Another commit stands at that sequence"}"#)
  }

  @Test func aCodeOfALaterServerIsKeptWithItsOwnStatus() throws {
    let text =
      #"{"code":"moon_phase","retryable":false,"status":418,"title":"Not tonight"}"#
    let problem = try decoded(Problem.self, text)
    #expect(problem.code == Problem.Code(rawValue: "moon_phase"))
    #expect(problem.status == 418)
    #expect(try json(problem) == text)
  }
}
