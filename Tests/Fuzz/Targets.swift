// What libFuzzer calls with bytes of its making: each parser that meets bytes from elsewhere. A
// target fails by a crash, by a fault of memory that AddressSanitizer sees, or by `demand`.
import Foundation
import JWTKit

@testable import Access
@testable import Outer
@testable import Selector
@testable import Sync
@testable import Vault
@testable import Wire

typealias Target = @Sendable ([UInt8]) -> Void

/// Ends the run: what was read is not what was written.
func demand(_ holds: Bool, _ what: StaticString) {
  precondition(holds, "\(what)")
}

let targets: [String: Target] = [
  "envelope": envelope, "membership": membership, "operations": operations, "slot": slot,
  "secrets": secrets, "snapshot": snapshot, "codes": codes, "token": token, "http": http,
  "websocket": webSocket, "bodies": bodies, "import": importFile, "chat": chat,
  "address": address, "push": push, "database": database, "settings": settings,
  "terminal": terminal,
]

/// A commit envelope is its header, ciphertext and signature, and nothing else.
@Sendable func envelope(_ bytes: [UInt8]) {
  guard let read = try? Envelope(bytes: bytes) else { return }
  demand(read.bytes == bytes, "an envelope is its bytes")
  demand(
    read.header.encoded(ciphertextLength: read.ciphertext.count) + read.ciphertext + read.signature
      == bytes, "an envelope has one form")
  demand(read.header.dependencies.heads.count <= Limits.devices, "dependencies are limited")
}

/// A record, and each body it may have.
@Sendable func membership(_ bytes: [UInt8]) {
  guard let record = try? MembershipRecord(bytes: bytes) else { return }
  demand(record.bytes == bytes, "a record is its bytes")
  _ = try? record.genesis()
  _ = try? record.addition()
  _ = try? record.replacement()
  _ = try? record.slotChange()
  _ = try? record.renaming()
  _ = try? record.suiteRaise()
  _ = try? record.serverKeys()
  _ = try? record.ending()
  if let rotation = try? record.rotation() {
    for key in rotation.keys {
      let opened = try? SealedEpoch.open(
        key.key, account: record.account, epoch: rotation.epoch, device: deviceKeys)
      demand(opened == nil, "nobody seals an epoch by chance")
    }
  }
  var chain = Membership(account: record.account)
  _ = try? chain.append(record)
  demand((try? chain.end(by: record)) == nil, "nobody ends an account by chance")
}

private let deviceKeys: DeviceKeys = {
  var entropy = SodiumEntropy()
  return DeviceKeys(entropy: &entropy)
}()

/// The plaintext of a commit: what was read reads the same when written again.
@Sendable func operations(_ bytes: [UInt8]) {
  guard let read = try? JSONDecoder().decode([Sync.Operation].self, from: Data(bytes)),
    let written = try? JSONEncoder().encode(read)
  else { return }
  let again = try? JSONDecoder().decode([Sync.Operation].self, from: written)
  demand(again == read, "operations survive writing")
}

/// Slot and keyring file up to the commitment, which no bytes of chance meet.
@Sendable func slot(_ bytes: [UInt8]) {
  _ = try? Keyring.describe(disk: bytes)
  // With a checksum that fits, past the first gate.
  _ = try? Keyring.describe(disk: bytes + Digest32.sha256(bytes).bytes)
  var entropy = SodiumEntropy()
  _ = try? login.recover(
    slot: Blob(bytes), device: DeviceName(name: "x", platform: ""),
    membership: Membership(account: .zero), dependencies: Frontier(), entropy: &entropy)
}

private let login: KitLogin = {
  let secret = [UInt8](repeating: 7, count: 20)
  let kit = Kit(secret: Secret(copying: secret))
  let passphrase = try? Passphrase(utf8: Array("fuzz".utf8))
  let hashing = PassphraseHashing(
    memoryKibibytes: 64 * 1024, passes: 3, salt: Blob([UInt8](repeating: 1, count: 16)))
  guard let passphrase,
    let login = try? Enrolment.kitLogin(kit: kit.text, passphrase: passphrase, hashing: hashing)
  else { fatalError("no login") }
  return login
}()

/// What lies inside slots, keyrings, offers and answers, once opened.
@Sendable func secrets(_ bytes: [UInt8]) {
  guard !bytes.isEmpty else { return }
  _ = try? SecretReader.read(Secret(copying: bytes)) { reader throws(VaultError) in
    _ = try reader.text()
    _ = try reader.epochs(account: .zero)
    _ = try reader.secret(32)
    _ = try reader.digest()
    _ = try reader.frontier()
  }
  _ = try? PairingOffer.open(letter: bytes, code: code)
}

private let code: PairingCode = {
  var entropy = SodiumEntropy()
  guard let code = try? PairingCode(server: "https://h", pin: nil, entropy: &entropy) else {
    fatalError("no code")
  }
  return code
}()

/// A piece of a snapshot; what was read reads the same when written again.
@Sendable func snapshot(_ bytes: [UInt8]) {
  guard let entries = try? SnapshotReader.entries(of: bytes) else { return }
  var writer = SnapshotWriter()
  for entry in entries {
    switch entry.content {
    case .version(let version):
      guard (try? writer.write(version, at: entry.place)) != nil else { return }
    case .forgotten(let ids): writer.write(forgotten: ids, at: entry.place)
    }
  }
  let again = try? writer.finished().flatMap { try SnapshotReader.entries(of: $0) }
  demand(again != nil, "what is written reads")
  demand(again?.count ?? 0 >= entries.filter { !$0.isEmpty }.count, "nothing is lost")
}

extension ReplicaEntry {
  fileprivate var isEmpty: Bool {
    if case .forgotten(let ids) = content { ids.isEmpty } else { false }
  }
}

/// What people type and scan.
@Sendable func codes(_ bytes: [UInt8]) {
  let text = String(decoding: bytes, as: UTF8.self)
  if let code = try? PairingCode(text: text) {
    let again = try? PairingCode(text: code.text)
    demand(again == code, "a pairing code survives writing")
  }
  if let kit = try? Kit(text: text) {
    demand((try? Kit(text: kit.text)) != nil, "a kit survives writing")
  }
  if let digest = Digest32(fingerprint: text) {
    demand(Digest32(fingerprint: digest.fingerprint) == digest, "a fingerprint survives writing")
  }
  if let secret = try? OneTimeCode(text) {
    let code = secret.code(at: 1_800_000_000)
    demand(code.count == secret.digits, "a code has its digits")
  }
  _ = try? Passphrase(utf8: bytes)
}

/// An access token, whose check waits for nothing but is written as if it did.
@Sendable func token(_ bytes: [UInt8]) {
  let text = String(decoding: bytes, as: UTF8.self)
  let done = DispatchSemaphore(value: 0)
  Task.detached {
    let claims = try? await verifier.check(text, now: 1_800_000_000_000)
    demand(claims == nil, "nobody makes a token by chance")
    done.signal()
  }
  done.wait()
}

private let verifier: TokenVerifier = {
  let seed = [UInt8](repeating: 9, count: 32)
  guard let issuer = try? TokenIssuer(instance: .zero, seed: seed),
    let verifier = try? TokenVerifier(instance: .zero, audience: .push, keys: issuer.keySet)
  else { fatalError("no verifier") }
  return verifier
}()

/// A request head and body: the same whether it comes at once or byte by byte.
@Sendable func http(_ bytes: [UInt8]) {
  var whole = RequestReader(limitBytes: 1024)
  var parts = RequestReader(limitBytes: 1024)
  let once = whole.read(bytes)
  var piecemeal = RequestReader.Outcome.more
  for byte in bytes {
    piecemeal = parts.read([byte])
    if piecemeal != .more { break }
  }
  // A head that is too long is refused when that is seen: later, when its end came with it.
  if case .refused = once, case .refused = piecemeal { return }
  if case .refused(431) = piecemeal { return }
  demand(once == piecemeal, "a request does not depend on how it was cut")
}

/// WebSocket frames: the same messages however the bytes are cut.
@Sendable func webSocket(_ bytes: [UInt8]) {
  var whole = WebSocketReader(limitBytes: 4096)
  var parts = WebSocketReader(limitBytes: 4096)
  let isSubstance: (WebSocketReader.Item) -> Bool = { item in
    if case .part = item { false } else { true }
  }
  let once = whole.read(bytes).filter(isSubstance)
  let piecemeal = bytes.flatMap { parts.read([$0]) }.filter(isSubstance)
  demand(once == piecemeal, "messages do not depend on how they were cut")
}

/// Bodies of requests and answers; the first byte chooses which.
@Sendable func bodies(_ bytes: [UInt8]) {
  guard let choice = bytes.first else { return }
  let body = Array(bytes.dropFirst())
  func survives<Value: Codable & Equatable>(_: Value.Type) {
    guard let read = try? JSONDecoder().decode(Value.self, from: Data(body)),
      let written = try? JSONEncoder().encode(read)
    else { return }
    let again = try? JSONDecoder().decode(Value.self, from: written)
    demand(again == read, "a message survives writing")
  }
  switch choice % 15 {
  case 0: survives(SyncRequest.self)
  case 1: survives(SyncResponse.self)
  case 2: survives(ChallengeResponse.self)
  case 3: survives(AccountRequest.self)
  case 4: survives(TokenRequest.self)
  case 5: survives(MailboxRequest.self)
  case 6: survives(MembershipResponse.self)
  case 7: survives(SnapshotOffer.self)
  case 8: survives(Problem.self)
  case 9: survives(ServerInfo.self)
  case 10: survives([Signal].self)
  case 11: survives(EndingResponse.self)
  case 12: survives(RevocationPage.self)
  case 13: survives(KeySet.self)
  default:
    guard let frame = try? PushFrame(text: body), let written = try? frame.encoded() else { return }
    demand((try? PushFrame(text: written)) == frame, "a push frame survives writing")
  }
}

/// An export of another program.
@Sendable func importFile(_ bytes: [UInt8]) {
  for format in ImportFormat.allCases {
    guard let imported = try? format.read(bytes) else { continue }
    demand(imported.edits.count == imported.counts.contexts, "every item is counted")
  }
}

@Sendable func chat(_ bytes: [UInt8]) {
  let text = String(decoding: bytes, as: UTF8.self)
  guard let message = try? ChatMessage(text) else { return }
  let again = try? ChatMessage(message.sent)
  demand(again?.text == message.text && again?.secret == nil, "what is sent on reads the same")
}

/// What comes over the transports of push that are no WebSocket; the first byte chooses which.
@Sendable func push(_ bytes: [UInt8]) {
  guard let choice = bytes.first else { return }
  let body = Array(bytes.dropFirst())
  switch choice % 3 {
  case 0: eventStream(body)
  case 1:
    guard let messages = try? JSONDecoder().decode([BayeuxMessage].self, from: Data(body)) else {
      return
    }
    for message in messages {
      let refusal = try? JSONEncoder().encode(BayeuxReply(refusing: message, "400::"))
      demand(refusal != nil, "every message can be answered")
    }
  default:
    guard let frames = try? JSONDecoder().decode([PushFrame].self, from: Data(body)),
      let written = try? JSONEncoder().encode(frames)
    else { return }
    let again = try? JSONDecoder().decode([PushFrame].self, from: written)
    demand(again == frames, "frames survive writing")
  }
}

/// Events: the same however the bytes are cut, and none longer than the limit.
private func eventStream(_ bytes: [UInt8]) {
  var whole = EventStreamReader(limitBytes: 512)
  var parts = EventStreamReader(limitBytes: 512)
  guard let once = try? whole.read(bytes) else { return }
  let piecemeal = bytes.map { try? parts.read([$0]) }
  demand(piecemeal.allSatisfy { $0 != nil }, "what is read at once is read byte by byte")
  demand(piecemeal.flatMap { $0 ?? [] } == once, "events do not depend on how they were cut")
  for case .event(_, let data) in once {
    demand(data.count <= 512, "an event is limited")
  }
}

/// The address of a server, and of a Push Service.
@Sendable func address(_ bytes: [UInt8]) {
  let text = String(decoding: bytes, as: UTF8.self)
  if let read = try? ServerAddress(text) {
    demand((try? ServerAddress(read.url)) == read, "an address survives writing")
    demand(!read.host.contains("@") && !read.host.contains("/"), "a host is a host")
  }
  if let server = try? ServerAddress("https://h"),
    let push = try? PushAddress(text, attributes: server)
  {
    demand(push.server.isSecure, "signals do not leave the protection of the server")
  }
}

/// What a terminal sends, pastes from anywhere among it: nothing stays open but a paste.
@Sendable func terminal(_ bytes: [UInt8]) {
  var whole = InputDecoder(pasteLimit: 512)
  var parts = InputDecoder(pasteLimit: 512)
  let pasted = { (events: [TerminalEvent]) in
    events.compactMap { event in
      if case .paste(let text) = event { text } else { nil }
    }
  }
  let once = pasted(whole.feed(bytes) + whole.flush())
  let piecemeal = pasted(bytes.flatMap { parts.feed([$0]) } + parts.flush())
  demand(once == piecemeal, "a paste does not depend on how it was cut")
  demand(once.allSatisfy { $0.utf8.count <= 2048 }, "a paste is limited")
  demand(whole.waitMilliseconds == nil, "nothing waits after a flush")
}

/// What people write and hand each other: a theme, keys, preferences, a script to press keys.
@Sendable func settings(_ bytes: [UInt8]) {
  let text = String(decoding: bytes, as: UTF8.self)
  do {
    _ = try Theme.parse(name: "x", toml: text) { $0 == "x" ? nil : .terminal }
  } catch {
    demand(error is ThemeError, "what is wrong with a theme is said")
  }
  _ = try? Keymap.parse(text)
  _ = try? Preferences(parsing: text)
  guard let script = try? Script(parsing: text) else { return }
  demand(script.lines.count <= text.utf8.count + 1, "a line is a step at the most")
}
