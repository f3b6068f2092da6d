import Access
import Crypto
import Foundation
import Logging
import NIOCore
import NIOPosix
@testable import PushServer
import Testing
import Wire

/// Servers that are killed or stopped, connections that break unseen, devices that do not read: in
/// any order, nobody is left unknowing, and nobody is told what is not theirs.
@Suite(.timeLimit(.minutes(2))) struct ScheduleTests {
  /// As an account with its devices holds it.
  private final class Model {
    static let accounts = [id(1), id(2)] as [AccountID]
    static let devicesPerAccount = 4

    let world: World
    var node: PushNode?
    var truth: [AccountID: [DeviceID: UInt64]] = [:]
    /// What the Attribute Server could not hand over yet.
    var outbox: [Signal] = []
    var devices: [VirtualDevice] = []
    var random: SplitMix

    init(world: World, seed: UInt64) {
      self.world = world
      random = SplitMix(state: seed)
      for (place, account) in Self.accounts.enumerated() {
        for number in 0..<Self.devicesPerAccount {
          let device: DeviceID = id(UInt8(10 * (place + 1) + number))
          devices.append(VirtualDevice(account: account, device: device))
        }
      }
    }

    func start() {
      do {
        node = try PushNode(loop: world.loop, configuration: world.configuration)
      } catch {
        Issue.record(error)
      }
    }

    func commit(by device: VirtualDevice) {
      let sequence = (truth[device.account]?[device.device] ?? 0) + 1
      truth[device.account, default: [:]][device.device] = sequence
      device.held[device.device] = sequence
      outbox.append(
        Signal(account: device.account, device: device.device, sequence: sequence))
    }

    func handOver() {
      guard let node else { return }
      node.publish(outbox)
      outbox = []
    }

    func connect(_ device: VirtualDevice) {
      guard let node, device.carrier == nil else { return }
      let carrier = VirtualCarrier(device)
      device.carrier = carrier
      let peer = node.join(carrier)
      carrier.peer = peer
      let frontier = VirtualDevice.digest(device.held)
      let token = "\(device.account):\(device.device)"
      do {
        peer.handle(.text(try PushFrame.hello(token: token, frontier: frontier).encoded()))
      } catch {
        Issue.record(error)
      }
    }

    /// The device reads what has come to it.
    func read(_ device: VirtualDevice) {
      for frame in device.carrier?.takeInbox() ?? [] {
        switch frame {
        // Whatever it says: a service that has just started knows the frontier in part only.
        case .welcome, .signal(nil): sync(device)
        case .signal(let update?):
          // A signal is no data: it says how far the author is, and the sync brings that.
          device.held[update.device] = max(device.held[update.device] ?? 0, update.sequence)
        case .bye:
          device.carrier = nil
          return
        default: continue
        }
      }
    }

    private func sync(_ device: VirtualDevice) { device.held = truth[device.account] ?? [:] }

    /// The server is gone, with what it had sent and nobody had read.
    func kill() {
      node = nil
      for device in devices { device.carrier = nil }
    }

    func step() {
      let device = devices[random.below(devices.count)]
      switch random.below(20) {
      case 0..<6: commit(by: device)
      case 6..<10: handOver()
      case 10..<13: read(device)
      case 13, 14: connect(device)
      case 15: device.carrier?.isStalled.toggle()
      // The connection broke, and the server will find out by and by; the device at once.
      case 16: device.carrier = nil
      case 17:
        device.carrier?.peer?.end()
        device.carrier?.isOver = true
      case 18:
        if random.below(4) == 0 { node?.drain() }
        world.uptime += .seconds(random.below(15))
        node?.tick()
      default:
        if random.below(3) == 0 { kill() }
        if node == nil { start() }
      }
    }

    /// Everything works again; what each device that lacks something lacks.
    func settle(seed: UInt64) -> [String] {
      if node == nil { start() }
      handOver()
      for device in devices {
        read(device)
        // A broken or closed connection is noticed: pings are not answered.
        if device.carrier?.isOver == true { device.carrier = nil }
        connect(device)
        device.carrier?.isStalled = false
        device.carrier?.peer?.flush()
      }
      return devices.filter { $0.held != truth[$0.account] ?? [:] }.map {
        "seed \(seed): \($0.device) holds \($0.held), of \(truth[$0.account] ?? [:]), connected: \($0.carrier != nil)"
      }
    }
  }

  /// What the service asks of its surroundings.
  private final class World: @unchecked Sendable {
    // Unchecked: touched on `loop` alone.
    let loop: any EventLoop
    var uptime = Duration.zero

    init(loop: any EventLoop) { self.loop = loop }

    var configuration: PushConfiguration {
      PushConfiguration(
        serviceKey: key, tokens: PlainTokens(), now: { 1_000_000 },
        uptime: { self.uptime }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
  }

  private final class VirtualDevice {
    let account: AccountID
    let device: DeviceID
    var held: [DeviceID: UInt64] = [:]
    var carrier: VirtualCarrier?

    init(account: AccountID, device: DeviceID) {
      self.account = account
      self.device = device
    }

    static func digest(_ held: [DeviceID: UInt64]) -> Digest32 {
      Digest32(bytes: Array(SHA256.hash(data: Frontier.digestInput(held)))) ?? .zero
    }
  }

  /// A connection whose bytes lie in `inbox` until the device reads them.
  private final class VirtualCarrier: Carrier {
    private let device: DeviceID
    private let account: AccountID
    weak var peer: Peer?
    var isStalled = false
    var isOver = false
    private var inbox: [PushFrame] = []

    init(_ device: VirtualDevice) {
      self.device = device.device
      account = device.account
    }

    var transport: PushServer.Transport { .webSocket }

    var takesMore: Bool { !isStalled && !isOver }

    func send(_ frame: OutgoingFrame) {
      let frame = frame.frame
      if case .signal(let update?) = frame {
        #expect(update.device != device, "a device is told of its own commit")
        let place = Model.accounts.firstIndex(of: account) ?? -1
        let range = UInt8(10 * (place + 1))..<UInt8(10 * (place + 1) + 4)
        #expect(range.map { id($0) as DeviceID }.contains(update.device), "of another account")
      }
      inbox.append(frame)
    }

    func takeInbox() -> [PushFrame] {
      defer { inbox = [] }
      return inbox
    }

    func ping() { if !isStalled { peer?.handle(.heard) } }

    func close(_ code: CloseCode, after bye: OutgoingFrame) {
      isOver = true
      inbox.append(bye.frame)
    }

    func abandon() { isOver = true }
  }

  private struct SplitMix {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }
  }

  /// Runs the schedule; what each device that lacks something lacks at its end.
  private static func run(seed: UInt64, steps: Int) async throws -> [String] {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let model = try await loop.submit {
      NIOLoopBound(
        Model(world: World(loop: loop), seed: seed), eventLoop: loop)
    }.get()
    for _ in 0..<steps {
      try await loop.submit { model.value.step() }.get()
      // Tokens are checked beside the loop.
      await Task.yield()
    }
    var lacking: [String] = []
    for _ in 0..<500 {
      lacking = try await loop.submit { model.value.settle(seed: seed) }.get()
      if lacking.isEmpty { break }
      // The tokens of this round are checked.
      try await Task.sleep(for: .milliseconds(1))
    }
    return lacking
  }

  @Test func aHundredSchedulesLeaveNobodyUnknowing() async throws {
    for seed in 1...100 as ClosedRange<UInt64> {
      let lacking = try await Self.run(seed: seed, steps: 300)
      #expect(lacking == [])
    }
  }
}
