import Sync
import Wire

/// Proof that what was last sent from here has arrived: each peer acknowledges it by itself.
struct Delivery: Hashable, Sendable {
  /// When the server took it, in milliseconds since 1970.
  let sentAt: Int64
  /// How long it took to each device that has it, in milliseconds.
  private(set) var times: [DeviceID: Int64] = [:]

  init(sentAt: Int64) { self.sentAt = sentAt }

  /// Notes who has everything now.
  mutating func note(_ peers: [SyncStatus.Peer], now: Int64) {
    for peer in peers where !peer.isThisDevice && peer.behind == 0 && times[peer.id] == nil {
      times[peer.id] = max(0, now - sentAt)
    }
  }

  /// `on 4 of 5 devices, slowest 180 ms`; this device counts.
  func words(_ peers: [SyncStatus.Peer]) -> String {
    let there = peers.filter { $0.isThisDevice || times[$0.id] != nil }.count
    let all =
      there < peers.count ? "\(there) of \(peers.count)" : there == 2 ? "both" : "all \(there)"
    let slowest = peers.compactMap { times[$0.id] }.max()
    return "on \(all) devices" + (slowest.map { ", slowest \(Self.duration($0))" } ?? "")
  }

  /// `180 ms`, `12 s`, `3 min`, `5 h`, `2 d`.
  static func duration(_ milliseconds: Int64) -> String {
    switch milliseconds {
    case ..<2000: "\(milliseconds) ms"
    case ..<120_000: "\(milliseconds / 1000) s"
    case ..<7_200_000: "\(milliseconds / 60_000) min"
    case ..<172_800_000: "\(milliseconds / 3_600_000) h"
    default: "\(milliseconds / 86_400_000) d"
    }
  }
}
