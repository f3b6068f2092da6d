public import Wire

/// A verified chain of membership records: who may write, since when.
///
/// Every record was checked against those before it when it was appended, so a value of this type
/// is never in a state that no signer vouched for. It may be older than the truth: that is what
/// ``contains(_:)`` is asked.
public struct Membership: Sendable, Equatable {
  public let account: AccountID
  /// The account's public signing key, named by the genesis record; nil before that.
  public private(set) var accountKey: Blob?
  public private(set) var records: [MembershipRecord] = []
  /// All there ever were: what a revoked device wrote before stays readable.
  public private(set) var devices: [DeviceID: DeviceDescription] = [:]
  /// The same devices as they joined.
  public private(set) var order: [DeviceID] = []
  /// The beginnings of epochs 1, 2, …
  public private(set) var rotations: [Rotation] = []
  /// The devices that were taken out, by the epoch that began with it.
  public private(set) var revoked: [DeviceID: UInt32] = [:]
  /// The slot that is the account's now; nil while it is the first.
  public private(set) var slot: MembershipRecord.SlotChange?
  /// Who changed the passphrase, each time it was.
  public private(set) var passphraseChanges: [DeviceID] = []
  /// 1 KiB: a name of 64 characters and a platform, sealed; room to spare.
  private static let sealedNameBytes = 1024

  /// The digest of each record and its number.
  private var numbers: [Digest32: Int] = [:]
  /// The number of the record that added the device.
  private var joined: [DeviceID: Int] = [:]
  /// The devices that took a new identity, by the old one. An id whose clones were told apart has
  /// several, in order.
  public private(set) var replacements: [DeviceID: [DeviceID]] = [:]
  /// By which keys the server is known, as a member said last; empty while none did.
  public private(set) var serverKeys: [Digest32] = []
  /// The lowest suite that counts, and from which record on; only ever rises.
  public private(set) var suiteRaises: [SuiteRaise] = []
  /// The record by which the account was deleted; nothing follows it.
  public private(set) var ending: MembershipRecord?
  /// The digest of the newest record; zero while there is none.
  public private(set) var head: Digest32 = .zero

  /// Where an epoch begins.
  public struct Rotation: Hashable, Sendable {
    /// The number of the record.
    public let number: Int
    /// The last commits of the epochs before.
    public let cut: Frontier
    public let body: MembershipRecord.Rotation
  }

  /// From which record on a suite is the lowest that counts.
  public struct SuiteRaise: Hashable, Sendable {
    public let number: Int
    public let suite: UInt8
  }

  /// The newest epoch: what is committed now is sealed under it.
  public var epoch: UInt32 { UInt32(rotations.count) }

  /// The devices that may write now, as they joined.
  public var active: [DeviceID] { order.filter { revoked[$0] == nil } }

  /// A device with all identities it ever had, before and after: to take it out is to take out all.
  public func lineage(of device: DeviceID) -> Set<DeviceID> {
    var lineage: Set = [device]
    var count = 0
    while count != lineage.count {
      count = lineage.count
      for (old, successors) in replacements
      where lineage.contains(old) || !lineage.isDisjoint(with: successors) {
        lineage.formUnion(successors + [old])
      }
    }
    return lineage
  }

  /// All identities of all of `devices` that are members still.
  public func lineages(of devices: some Sequence<DeviceID>) -> Set<DeviceID> {
    devices.reduce(into: Set<DeviceID>()) { $0.formUnion(lineage(of: $1)) }
      .filter { self.devices[$0] != nil && revoked[$0] == nil }
  }

  /// The empty chain of `account`.
  public init(account: AccountID) {
    self.account = account
  }

  /// How many records there are.
  public var count: Int { records.count }

  /// Whether a record with this digest is in the chain: a chain that lacks a head somebody honest
  /// named is old or another.
  public func contains(_ head: Digest32) -> Bool { numbers[head] != nil }

  /// The number of the record with this digest.
  func number(of head: Digest32) -> Int? { numbers[head] }

  /// Appends the next record if it continues the chain and its signer may sign it; otherwise
  /// throws and changes nothing.
  public mutating func append(_ record: MembershipRecord) throws(VaultError) {
    guard record.account == account else { throw .wrongAccount }
    guard record.number == UInt64(count), record.previous == head, ending == nil else {
      throw .brokenChain(number: record.number)
    }
    switch record.kind {
    case .genesis: try appendGenesis(record)
    case .addDevice: try appendAddition(record)
    case .replaceDevice: try appendReplacement(record)
    case .rotateEpoch: try appendRotation(record)
    case .raiseSuite: try appendSuiteRaise(record)
    case .trustServer: try appendServerKeys(record)
    case .changeSlot: try appendSlotChange(record)
    case .renameDevice: try appendRenaming(record)
    case .deleteAccount: throw .brokenChain(number: record.number)
    }
  }

  /// Takes the record by which the account was deleted.
  ///
  /// The account's key signs it, which exists in slots only: who deletes has passphrase and kit. So
  /// it stands for itself, and a device that lacks records before it can tell all the same, from a
  /// server that keeps nothing else.
  public mutating func end(by record: MembershipRecord) throws(VaultError) {
    guard record.account == account else { throw .wrongAccount }
    guard let accountKey, record.kind == .deleteAccount, record.signer == .account,
      record.number > 0, record.dependencies == Frontier(), ending == nil
    else { throw .brokenChain(number: record.number) }
    try Self.verify(record, by: accountKey)
    _ = try VaultError.reading { () throws(WireError) in try record.ending() }
    ending = record
  }

  private mutating func appendGenesis(_ record: MembershipRecord) throws(VaultError) {
    guard record.number == 0, record.signer == .account, record.dependencies == Frontier() else {
      throw .brokenChain(number: record.number)
    }
    let body = try VaultError.reading { () throws(WireError) in try record.genesis() }
    guard body.accountKey.bytes.count == SigningKey.publicBytes else {
      throw .malformed(field: "account key")
    }
    try Self.verify(record, by: body.accountKey)
    try checkNew(body.device, accountKey: body.accountKey)
    accountKey = body.accountKey
    add(body.device, by: record)
  }

  private mutating func appendAddition(_ record: MembershipRecord) throws(VaultError) {
    guard let accountKey else { throw .brokenChain(number: record.number) }
    switch record.signer {
    case .account: try Self.verify(record, by: accountKey)
    case .device(let signer):
      try Self.verify(record, by: try member(signer).signingKey)
    }
    let body = try VaultError.reading { () throws(WireError) in try record.addition() }
    try checkNew(body.device, accountKey: accountKey)
    guard let origin = body.origin else { return add(body.device, by: record) }
    let predecessor = try predecessor(of: body.device, saidBy: origin.bytes)
    add(body.device, by: record)
    replacements[predecessor, default: []].append(body.device.device)
  }

  /// Who went on as `device`, by a record of a list that gave way to this one: its place is not
  /// checked, but whose word it is.
  private func predecessor(
    of device: DeviceDescription, saidBy bytes: [UInt8]
  ) throws(VaultError) -> DeviceID {
    let record = try VaultError.reading { () throws(WireError) in
      try MembershipRecord(bytes: bytes)
    }
    guard record.account == account, record.kind == .replaceDevice,
      case .device(let signer) = record.signer
    else { throw .malformed(field: "origin") }
    try Self.verify(record, by: try member(signer).signingKey)
    let body = try VaultError.reading { () throws(WireError) in try record.replacement() }
    guard body.replaced == signer, body.device.hasKeys(of: device) else {
      throw .malformed(field: "origin")
    }
    return signer
  }

  /// Only the device itself can say that it goes on under another id.
  private mutating func appendReplacement(_ record: MembershipRecord) throws(VaultError) {
    guard let accountKey, case .device(let signer) = record.signer else {
      throw .brokenChain(number: record.number)
    }
    try Self.verify(record, by: try member(signer).signingKey)
    let body = try VaultError.reading { () throws(WireError) in try record.replacement() }
    guard body.replaced == signer else { throw .notAMember(body.replaced) }
    try checkNew(body.device, accountKey: accountKey)
    add(body.device, by: record)
    replacements[signer, default: []].append(body.device.device)
  }

  /// The next epoch. Who is taken out goes with all its identities, and never the signer; who
  /// stays is given the key, and nobody else.
  private mutating func appendRotation(_ record: MembershipRecord) throws(VaultError) {
    let signer = try verifySigner(of: record)
    let body = try VaultError.reading { () throws(WireError) in try record.rotation() }
    guard body.epoch == epoch + 1 else { throw .malformed(field: "epoch") }
    let leaving = Set(body.revoked)
    guard body.revoked == leaving.sorted(), !leaving.contains(signer),
      body.revoked.allSatisfy({ devices[$0] != nil && revoked[$0] == nil }),
      body.revoked.allSatisfy({ lineage(of: $0).isSubset(of: leaving.union(revoked.keys)) })
    else { throw .malformed(field: "revoked devices") }
    guard body.keys.map(\.device) == active.filter({ !leaving.contains($0) }).sorted(),
      body.keys.allSatisfy({ $0.key.bytes.count == SealedEpoch.byteCount }),
      body.commitment.bytes.count == Digest32.byteCount
    else { throw .malformed(field: "epoch keys") }
    try check(body.slot)
    guard rotations.last.map({ record.dependencies.reaches($0.cut) }) ?? true else {
      throw .malformed(field: "cut")
    }
    rotations.append(Rotation(number: count, cut: record.dependencies, body: body))
    for device in leaving { revoked[device] = body.epoch }
    slot = body.slot
    if body.slot.isNewPassphrase == true { passphraseChanges.append(signer) }
    note(record)
  }

  private mutating func appendSlotChange(_ record: MembershipRecord) throws(VaultError) {
    let signer = try verifySigner(of: record)
    let body = try VaultError.reading { () throws(WireError) in try record.slotChange() }
    try check(body)
    slot = body
    if body.isNewPassphrase == true { passphraseChanges.append(signer) }
    note(record)
  }

  /// Any member names any device that stays: they are one person's.
  private mutating func appendRenaming(_ record: MembershipRecord) throws(VaultError) {
    _ = try verifySigner(of: record)
    let body = try VaultError.reading { () throws(WireError) in try record.renaming() }
    let old = try member(body.device)
    guard body.sealedName.bytes.count <= Self.sealedNameBytes else {
      throw .malformed(field: "sealed name")
    }
    devices[body.device] = DeviceDescription(
      device: old.device, signingKey: old.signingKey, sealingKey: old.sealingKey,
      authenticationKey: old.authenticationKey, sealedName: body.sealedName)
    note(record)
  }

  private mutating func appendSuiteRaise(_ record: MembershipRecord) throws(VaultError) {
    _ = try verifySigner(of: record)
    let body = try VaultError.reading { () throws(WireError) in try record.suiteRaise() }
    guard body.suite > minimumSuite else { throw .malformed(field: "suite") }
    suiteRaises.append(SuiteRaise(number: count, suite: body.suite))
    note(record)
  }

  private mutating func appendServerKeys(_ record: MembershipRecord) throws(VaultError) {
    _ = try verifySigner(of: record)
    let body = try VaultError.reading { () throws(WireError) in try record.serverKeys() }
    guard (1...MembershipRecord.ServerKeys.limit).contains(body.keys.count),
      body.keys == MembershipRecord.ServerKeys(keys: body.keys).keys
    else { throw .malformed(field: "server keys") }
    serverKeys = body.keys
    note(record)
  }

  /// The lowest suite that counts now.
  public var minimumSuite: UInt8 { suiteRaises.last?.suite ?? Suite.one }

  /// The device that signed it, which must be a member.
  private func verifySigner(of record: MembershipRecord) throws(VaultError) -> DeviceID {
    guard accountKey != nil, case .device(let signer) = record.signer else {
      throw .brokenChain(number: record.number)
    }
    try Self.verify(record, by: try member(signer).signingKey)
    return signer
  }

  private func check(_ change: MembershipRecord.SlotChange) throws(VaultError) {
    guard change.version > slot?.version ?? 1, change.slot.bytes.count <= Limits.slotBytes,
      change.loginKey.bytes.count == SigningKey.publicBytes
    else { throw .malformed(field: "slot") }
  }

  private func member(_ device: DeviceID) throws(VaultError) -> DeviceDescription {
    guard let description = devices[device] else { throw .notAMember(device) }
    guard revoked[device] == nil else { throw .revoked(device) }
    return description
  }

  /// A device is added once, with keys of its own.
  private func checkNew(_ device: DeviceDescription, accountKey: Blob) throws(VaultError) {
    let keys = [device.signingKey, device.sealingKey, device.authenticationKey]
    guard keys.allSatisfy({ $0.bytes.count == SigningKey.publicBytes }),
      Set(keys).count == keys.count
    else { throw .malformed(field: "device keys") }
    guard device.device != .zero, devices[device.device] == nil else {
      throw .malformed(field: "device id")
    }
    let taken = devices.values.contains { other in
      keys.contains(other.signingKey) || keys.contains(other.sealingKey)
        || keys.contains(other.authenticationKey)
    }
    guard !taken, !keys.contains(accountKey) else {
      throw .malformed(field: "device keys")
    }
    guard devices.count < Limits.devices else {
      throw .overLimit(limit: "devices", value: devices.count + 1)
    }
  }

  private mutating func add(_ device: DeviceDescription, by record: MembershipRecord) {
    devices[device.device] = device
    order.append(device.device)
    joined[device.device] = count
    note(record)
  }

  private mutating func note(_ record: MembershipRecord) {
    head = record.hash
    numbers[head] = count
    records.append(record)
  }

  private static func verify(_ record: MembershipRecord, by key: Blob) throws(VaultError) {
    guard SigningKey.verify(record.signature, of: record.signedBytes, by: key) else {
      throw .badSignature
    }
  }
}

extension Membership {
  /// Checks everything about a commit that needs no secret: account, author, signature, that the
  /// author was a member at the record it names, and that it is of the epoch which its place in the
  /// author's chain belongs to. For a device that is locked, too.
  ///
  /// Throws ``VaultError/unknownMembership(_:)`` when the record the author named is not held here.
  public func verify(_ envelope: Envelope) throws(VaultError) {
    let header = envelope.header
    guard header.account == account else { throw .wrongAccount }
    // Compartments are reserved in the layout and not built: only the first exists.
    guard header.vault == 0 else { throw .malformed(field: "vault") }
    guard let number = numbers[header.memberHead] else {
      throw .unknownMembership(header.memberHead)
    }
    guard let author = devices[header.device], let since = joined[header.device],
      since <= number
    else { throw .notAMember(header.device) }
    guard SigningKey.verify(envelope.signature, of: envelope.signedBytes, by: author.signingKey)
    else { throw .badSignature }
    // There is one suite that this program reads; whoever knew that it ended does not use it.
    guard suiteRaises.allSatisfy({ $0.number > number || $0.suite <= Suite.one }) else {
      throw .malformed(field: "suite")
    }
    try checkEpoch(of: header, seenBy: number)
  }

  private func checkEpoch(of header: EnvelopeHeader, seenBy number: Int) throws(VaultError) {
    guard header.epoch <= epoch else { throw .unknownEpoch(header.epoch) }
    // Nobody has the keys of an epoch before its record.
    guard rotations.prefix(Int(header.epoch)).allSatisfy({ $0.number <= number }) else {
      throw .wrongEpoch(header.epoch)
    }
    // A manifest stands at the place of what it covers, which may be of an epoch before.
    guard header.kind != .snapshotManifest else { return }
    let place = rotations.count { $0.cut.sequence(of: header.device) < header.sequence }
    if let end = revoked[header.device], place >= end { throw .revoked(header.device) }
    guard header.epoch == UInt32(place) else { throw .wrongEpoch(header.epoch) }
  }
}
