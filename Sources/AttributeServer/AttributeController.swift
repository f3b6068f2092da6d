import Access
import Foundation
import Hummingbird
import Logging
import Wire

/// Reads requests, asks the ledger and its neighbours, writes answers; decides nothing itself.
struct AttributeController: Sendable {
  let arguments: ServerArguments
  let authentication: Authentication
  let mailboxes: Mailboxes
  let outbox: SignalOutbox
  let ledger: Ledger
  private let devices: RateLimiter<DeviceID>
  private let chunks: RateLimiter<DeviceID>
  private let addresses: RateLimiter<String>
  /// What an enrolled device may still ask for its tokens when its address has asked too often.
  private let proofs: RateLimiter<DeviceID>

  var database: ServerDatabase { arguments.database }

  init(
    arguments: ServerArguments, authentication: Authentication, mailboxes: Mailboxes,
    outbox: SignalOutbox
  ) {
    self.arguments = arguments
    self.authentication = authentication
    self.mailboxes = mailboxes
    self.outbox = outbox
    ledger = arguments.ledger
    devices = RateLimiter(arguments.limits.device)
    chunks = RateLimiter(arguments.limits.chunks)
    addresses = RateLimiter(arguments.limits.address)
    proofs = RateLimiter(arguments.limits.device)
  }

  func addRoutes(to router: Router<ServerRequestContext>) {
    router.get("/v1/info") { _, _ in try info() }
    router.get("/.well-known/jwks.json") { _, _ in try JSONAnswer(authentication.issuer.keySet) }
    router.get("/v1/revocations") { try await revocations($0, $1) }
    router.get("/healthz") { _, _ in "ok\n" }
    router.post("/v1/accounts") { try await createAccount($0, $1) }
    router.get("/v1/accounts/:account/ending") { try await ending($0, $1) }
    router.post("/v1/auth/challenge") { try await challenge($0, $1) }
    router.post("/v1/auth/token") { try await token($0, $1) }
    router.post("/v1/slot") { try await slot($0, $1) }
    router.post("/v1/sync") { try await sync($0, $1) }
    router.post("/v1/membership") { try await appendMembership($0, $1) }
    router.post("/v1/farewell") { try await farewell($0, $1) }
    router.get("/v1/membership") { try await membership($0, $1) }
    addSnapshotRoutes(to: router)
    router.post("/v1/enrol/:rendezvous") { try await putLetter($0, $1) }
    router.get("/v1/enrol/:rendezvous/:box") { try await takeLetter($0, $1) }
  }

  private func info() throws -> JSONAnswer {
    try JSONAnswer(
      ServerInfo(
        instance: database.identity.instance, generation: database.identity.generation,
        push: arguments.push, registration: arguments.registration.rawValue,
        serverTime: arguments.clock.now()))
  }

  // MARK: Accounts and authentication

  private func createAccount(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    try limit(context)
    let body = try await request.read(AccountRequest.self, limitBytes: 64 * 1024)
    try Self.check(body)
    if try await !database.holds(body) {
      try ledger.requireWritable()
      let invite = try invite(for: body)
      try await database.createAccount(body, invite: invite, ledger: ledger)
      if let invite { arguments.invites.remove(invite) }
      arguments.logger.info("An account was created")
    }
    let caller = Caller(account: body.account, device: .zero, enrolling: true)
    return try JSONAnswer(
      try await database.run { [ledger] store throws(Problem) in
        try ledger.membership(after: nil, by: caller, in: store)
      }, status: .created)
  }

  private func invite(for request: AccountRequest) throws(Problem) -> Digest32? {
    switch arguments.registration {
    case .open: return nil
    case .closed: throw Problem(.inviteRequired, detail: "This server takes no new accounts.")
    case .invite:
      guard let code = request.invite, let hash = arguments.invites.hash(ofOpen: code) else {
        throw Problem(.inviteRequired)
      }
      return hash
    }
  }

  /// The sizes of what the server keeps without understanding it.
  private static func check(_ request: AccountRequest) throws(Problem) {
    guard request.slot.bytes.count <= Limits.slotBytes else {
      throw Problem(.tooLarge, detail: "A slot has at most \(Limits.slotBytes) bytes.")
    }
    let hashing = request.hashing
    guard request.loginKey.bytes.count == 32, hashing.salt.bytes.count == 16,
      (1...16_777_216).contains(hashing.memoryKibibytes), (1...1000).contains(hashing.passes)
    else { throw Problem(.malformed, detail: "A key, salt or number has a wrong size.") }
  }

  /// For anybody who knows the id: its devices have no way left to prove themselves.
  private func ending(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    try limit(context)
    guard let account = context.parameters.get("account").flatMap({ AccountID($0) }) else {
      throw Problem(.malformed, detail: "An account's id is 32 hexadecimal digits.")
    }
    return try JSONAnswer(
      try await database.run { [ledger] store throws(Problem) in
        try ledger.ending(of: account, in: store)
      })
  }

  private func challenge(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let body = try await request.read(ChallengeRequest.self, limitBytes: 4096)
    try await limit(context, naming: body.device)
    return try JSONAnswer(try await authentication.challenge(body))
  }

  private func token(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let body = try await request.read(TokenRequest.self, limitBytes: 4096)
    try await limit(context, naming: body.device)
    return try JSONAnswer(try await authentication.token(body))
  }

  private func slot(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    try limit(context)
    let body = try await request.read(SlotRequest.self, limitBytes: 4096)
    return try JSONAnswer(try await authentication.slot(body))
  }

  // MARK: Ledger

  private func sync(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let caller = try await caller(of: request, context)
    let body = try await request.read(SyncRequest.self)
    let generation = database.identity.generation
    let response = try await database.run { [ledger] store throws(Problem) in
      try ledger.sync(body, by: caller, generation: generation, in: &store)
    }
    // Before the answer is encoded: the signal need not wait for that.
    if response.outcomes.contains(where: { $0.status == .accepted }) { outbox.wake() }
    return try JSONAnswer(response)
  }

  private func appendMembership(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let caller = try await caller(of: request, context)
    let body = try await request.read(
      MembershipRequest.self, limitBytes: 2 * Limits.membershipRecordBytes)
    let response = try await database.run { [ledger] store throws(Problem) in
      try ledger.append(body, by: caller, in: &store)
    }
    outbox.wake()
    return try JSONAnswer(response)
  }

  private func farewell(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> Response {
    let caller = try await caller(of: request, context)
    let body = try await request.read(Farewell.self, limitBytes: 4096)
    try await database.run { [ledger] store throws(Problem) in
      try ledger.keep(body, by: caller, in: &store)
    }
    return Response(status: .noContent)
  }

  private func membership(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let caller = try await caller(of: request, context)
    var after: Digest32?
    if let text = request.uri.queryParameters["after"] {
      guard let digest = Base64URL.decode(String(text)).flatMap({ Digest32(bytes: $0) }) else {
        throw Problem(.malformed, detail: "`after` is a digest in base64url.")
      }
      after = digest
    }
    return try JSONAnswer(
      try await database.run { [ledger, after] store throws(Problem) in
        try ledger.membership(after: after, by: caller, in: store)
      })
  }

  // MARK: Pairing mailboxes

  private func putLetter(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> Response {
    try limit(context)
    let rendezvous = try Self.rendezvous(of: context)
    let body = try await request.read(
      MailboxRequest.self, limitBytes: 2 * Limits.mailboxBytes)
    switch (body.box, body.letter) {
    case (.open, nil):
      let caller = try await caller(of: request, context)
      guard !caller.enrolling else { throw Problem(.authenticationFailed) }
      try await mailboxes.open(rendezvous, by: caller.account)
    case (.offer, let letter?), (.answer, let letter?):
      try await mailboxes.put(letter.bytes, in: body.box, of: rendezvous)
    default:
      throw Problem(.malformed, detail: "A letter goes into the box `offer` or `answer`.")
    }
    return Response(status: .noContent)
  }

  private func takeLetter(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> Response {
    try limit(context)
    let rendezvous = try Self.rendezvous(of: context)
    guard let box = context.parameters.get("box").flatMap(MailboxRequest.Box.init(rawValue:)),
      box != .open
    else { throw Problem(.notFound) }
    let seconds = request.uri.queryParameters["wait"].map { Int($0) ?? -1 } ?? 0
    guard seconds >= 0 else { throw Problem(.malformed, detail: "`wait` is a number of seconds.") }
    // Clamped before the conversion, so that no number of the caller's can overflow it.
    let wait = Duration.seconds(min(seconds, Int(Mailboxes.longestWait.components.seconds)))
    guard let letter = try await mailboxes.take(from: box, of: rendezvous, wait: wait) else {
      return Response(status: .noContent)
    }
    return try JSONAnswer(MailboxResponse(letter: Blob(letter)))
      .response(from: request, context: context)
  }

  private static func rendezvous(of context: ServerRequestContext) throws(Problem) -> RendezvousID {
    guard let id = context.parameters.get("rendezvous").flatMap({ RendezvousID($0) }) else {
      throw Problem(.malformed, detail: "A rendezvous is 32 hexadecimal digits.")
    }
    return id
  }

  // MARK: Callers

  /// What a call counts against.
  enum Bucket {
    case requests
    case chunks
  }

  /// The bearer of the request's token, held to the rate of its device.
  func caller(
    of request: Request, _ context: ServerRequestContext, bucket: Bucket = .requests
  ) async throws(Problem) -> Caller {
    let caller: Caller
    do {
      caller = try await authentication.caller(authorization: request.headers[.authorization])
    } catch {
      // Only failures count here: devices that share an address do not hold each other up. An
      // expired token was genuine, and its device must learn that it needs another.
      if error.code != .authenticationExpired { try limit(context) }
      throw error
    }
    if caller.enrolling {
      try limit(context)
    } else {
      let limiter =
        switch bucket {
        case .requests: devices
        case .chunks: chunks
        }
      try limiter.take(caller.device, now: arguments.clock.uptime())
    }
    return caller
  }

  private func limit(_ context: ServerRequestContext) throws(Problem) {
    try addresses.take(context.source, now: arguments.clock.uptime())
  }

  /// Holds the way to a token to the rate of its address, or else to that of the device it names.
  ///
  /// Whoever floods from the address of an enrolled device does not lock it out, since its id, 128
  /// random bits, is its own to spend; and whoever knows the id does not, from another address.
  private func limit(
    _ context: ServerRequestContext, naming device: DeviceID?
  ) async throws(Problem) {
    do {
      try limit(context)
    } catch {
      guard let device, try await database.device(device) != nil else { throw error }
      try proofs.take(device, now: arguments.clock.uptime())
    }
  }
}
