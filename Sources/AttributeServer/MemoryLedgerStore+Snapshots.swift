public import Wire

extension MemoryLedgerStore {
  /// A snapshot with what came of it.
  struct Upload: Sendable {
    var snapshot: LedgerSnapshot
    let hashes: [Digest32]
    var chunks: [Int: [UInt8]] = [:]

    var storedBytes: Int { chunks.values.reduce(0) { $0 + $1.count } }
  }

  public func accounts() -> [AccountID] { accountTable.keys.sorted() }

  public func bases(of account: AccountID) -> [DeviceID: UInt64] { baseTable[account] ?? [:] }

  public func jumps(of device: DeviceID) -> [LedgerJump] { jumpTable[device] ?? [] }

  public func snapshots(of account: AccountID) -> [LedgerSnapshot] {
    (uploadOrder[account] ?? []).compactMap { uploads[$0]?.snapshot }
  }

  public func snapshot(_ id: Digest32) -> LedgerSnapshot? { uploads[id]?.snapshot }

  public func missingChunks(of id: Digest32, limit: Int) -> [Int] {
    guard let upload = uploads[id] else { return [] }
    return Array(upload.hashes.indices.lazy.filter { upload.chunks[$0] == nil }.prefix(limit))
  }

  public func chunkHash(_ number: Int, of id: Digest32) -> Digest32? {
    guard let hashes = uploads[id]?.hashes, hashes.indices.contains(number) else { return nil }
    return hashes[number]
  }

  public func chunk(_ number: Int, of id: Digest32) -> [UInt8]? { uploads[id]?.chunks[number] }

  public func chunkBytes(of id: Digest32) -> Int { uploads[id]?.storedBytes ?? 0 }

  public mutating func insert(snapshot: LedgerSnapshot, chunks: [Digest32]) {
    uploads[snapshot.id] = Upload(snapshot: snapshot, hashes: chunks)
    uploadOrder[snapshot.account, default: []].append(snapshot.id)
    use(snapshot.manifest.count, of: snapshot.account)
  }

  public mutating func renew(snapshot id: Digest32, at: Int64) {
    uploads[id]?.snapshot.offeredAt = at
  }

  public mutating func put(chunk: [UInt8], number: Int, of snapshot: LedgerSnapshot) {
    uploads[snapshot.id]?.chunks[number] = chunk
    use(chunk.count, of: snapshot.account)
  }

  public mutating func complete(snapshot id: Digest32, at: Int64) {
    guard let account = uploads[id]?.snapshot.account else { return }
    var order = (uploadOrder[account] ?? []).filter { $0 != id }
    let place = order.firstIndex { uploads[$0]?.snapshot.isComplete == false } ?? order.endIndex
    order.insert(id, at: place)
    uploadOrder[account] = order
    uploads[id]?.snapshot.completedAt = at
  }

  public mutating func remove(snapshot: LedgerSnapshot) {
    use(-(chunkBytes(of: snapshot.id) + snapshot.manifest.count), of: snapshot.account)
    uploads[snapshot.id] = nil
    uploadOrder[snapshot.account]?.removeAll { $0 == snapshot.id }
  }

  public mutating func jump(
    device: DeviceID, of account: AccountID, from: UInt64, to head: Head
  ) {
    jumpTable[device, default: []].append(LedgerJump(after: from, upTo: head.sequence))
    link(device: device, sequence: head.sequence, hash: head.hash)
    frontierTable[account, default: Frontier()][device] = head
    baseTable[account, default: [:]][device] = head.sequence
    signals[device] = Signal(account: account, device: device, sequence: head.sequence)
  }

  public mutating func raiseBase(
    of device: DeviceID, in account: AccountID, to sequence: UInt64
  ) {
    baseTable[account, default: [:]][device] = max(baseTable[account]?[device] ?? 0, sequence)
  }

  public mutating func prune(
    device: DeviceID, of account: AccountID, sequences: ClosedRange<UInt64>, limit: Int
  ) -> LedgerRemoval {
    var removal = LedgerRemoval()
    commitTable[account]?.removeAll { commit in
      guard commit.device == device, sequences.contains(commit.sequence), removal.commits < limit
      else { return false }
      removal.commits += 1
      removal.bytes += commit.bytes.count
      return true
    }
    use(-removal.bytes, of: account)
    return removal
  }
}
