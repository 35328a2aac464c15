/// Every threshold of the kernels, with the measurement or the reason that it came from.
///
/// Ratios are of times by turns with the version before, on two threads; the commit that is named has the whole of
/// it. "Chosen by its reason" means that no measurement of this number alone is on record: change it where you have
/// one. The sizes of the register tile, MR, NR and KC, are in `microkernel.h`.
enum Tuning {
  /// How work is cut into tasks.
  enum Tasks {
    /// Tasks for each thread of an operation. Chosen by its reason: a thread that is held up leaves at most a quarter
    /// of its share to the others.
    static let perThread = 4
    /// The same of a sweep over a large tensor, whose tasks are short. Chosen by its reason: the first tasks are to
    /// find what the operation before left in a cache (3a29cf5).
    static let perThreadOfSweep = 16
    /// Scalars of an elementwise operation below which another thread costs more than it saves. Chosen by its reason:
    /// 64 KiB of floats take a few microseconds, and waking a thread that spins one or two.
    static let scalars = 1 << 14
    /// Scalars packed into panels of a convolution's weights, and into those of a matrix. Chosen by the same reason.
    static let packedWeights = 1 << 14
    static let packedMatrix = 1 << 15
    /// Products of a task of a matrix product: about 5 µs of arithmetic (3a29cf5).
    static let products = 1 << 18
    /// The same where a panel of few columns is column-major, at half the rate. Chosen by its reason.
    static let productsOfFewColumns = 1 << 17
    /// Products of a strip that OpenBLAS multiplies, about a tenth of a millisecond, for it packs both factors; and
    /// the least rows or columns of one. Chosen by its reason.
    static let productsOfStrip = 1 << 22
    static let linesOfStrip = 16
    /// Tiles that are transformed for all threads. Chosen by its reason: a tile of 512 channels takes some
    /// microseconds.
    static let transformedTiles = 4
  }

  /// Caches of the processor.
  enum Cache {
    /// Bytes of a second-level cache where the system does not tell: that of AMD's Zen, the least of what is in use.
    static let secondLevel = 512 << 10
    /// Bytes of a second-level cache from which on blocks are larger, where the core has registers for two panels:
    /// with both, a step of VGG16 took 0.85 of its time on an Intel Xeon, the autoencoder's 0.90 (f1d039c).
    static let largeSecondLevel = 2 << 20
    /// Bytes of a result from which on it streams past the caches: the first layer of VGG16 took 0.6 of its time,
    /// 64-64@32 by Winograd's filtering 0.92 (d0f32a3); 6 MiB since c04a42a.
    static let streamedResult = 6 << 20
  }

  /// Blocks of memory that are kept for the next request.
  enum Memory {
    /// Bytes below which a block is malloc's, which reuses those well by itself. Chosen by its reason.
    static let smallestPooled = 16 << 10
    /// Bytes from which on a part of a tensor shares its memory. Chosen by its reason: a smaller one is copied in less
    /// than a microsecond, and would keep all of the tensor.
    static let smallestShared = 16 << 10
    /// Bytes of the least request to the system. Chosen by its reason: the system commits only what is touched, and a
    /// step of training needs some hundred MiB.
    static let smallestArena = 64 << 20
    /// Bytes of the largest block that a thread keeps for itself: a larger one would leave the caches before it is
    /// used again. Since 344970b blocks up to here have memory of their own, as they kept larger neighbours apart
    /// (VGG16 and the autoencoder needed one more arena).
    static let largestRecent = 512 << 10
    /// Bytes and number of all blocks that a thread keeps. Part of 9ff531f, in which one image of ResNet20 took 0.68
    /// of its time.
    static let recentBytes = 4 << 20
    static let recentBlocks = 16
  }

  /// Matrix products.
  enum Product {
    /// Columns up to which, and products below which, the micro-kernel is faster than OpenBLAS, which packs both
    /// factors: 256 columns since bfd1920, 512 since 3a29cf5, where products go by parts of their inner extent.
    static let panelColumns = 512
    static let panelProducts = 1 << 21
    /// Columns up to which vectors lie along the rows, and the least inner extent for that: the ten classes of a
    /// classifier left six columns of a panel empty, and took 0.6 of their time so (7303dd5).
    static let fewColumns = 10
    static let leastDepthOfFewColumns = 64
    /// Rows that are taken with all of those columns, which stay in the first-level cache; and columns of one call,
    /// three of the four that the micro-kernel can take: ten are 3, 3, 2, 2. Chosen by their reason.
    static let rowsOfFewColumns = 4
    static let columnsOfCall = 3
    /// Products of a whole matrix product up to which it is computed by the definition, on Zen 5: of 7×5 by 5×3 it
    /// took 0.21 of the time (0.6 with the left factor transposed), of 10×10 by 10×10 0.85.
    static let fewProducts = 1 << 10
    /// Products of each pair of a batch up to which all share one scratch memory: 256 of 32×32 by 32×32
    /// took 0.8 of their time, eight heads of attention over 17 tokens 0.83.
    static let pairedProducts = 1 << 18
    /// Rows up to which each thread packs the panels of its columns just before it multiplies, and the columns that
    /// each thread then has at least: 128×512×4608 took 0.69 of its time beside noise, 0.86 without (07f94c1).
    static let fewRows = 256
    static let leastColumnsOfThread = 64
    /// Rows and depth of a block of the left factor, which stays in the second-level cache over all panels: 192 KiB
    /// of floats. Rows are a multiple of both MR; the depth is KC of the micro-kernel, which would cut it there
    /// anyhow.
    static let rows = 96
    static let depth = 512
    /// Rows whose length is a multiple of so many scalars share one set of the first-level cache, twelve at a time:
    /// they are copied, where there are panels enough to pay for it (7303dd5).
    static let conflictingRow = 1024
    static let panelsWorthCopying = 4
    /// The rows that tasks are made of: the smaller MR.
    static let rowsOfTask = 6
  }

  /// Direct convolutions.
  enum Direct {
    /// Images below which, and outputs for each input from which on, images are padded before: a border of few pixels
    /// leaves the micro-kernel idle, and padding small images costs less than writing large results out of order.
    /// Chosen by its reason.
    static let fewImages = 4
    static let outputsForInput = 4
    /// Tasks by images alone where there are so many for each thread; otherwise panels are shared out too, in so many
    /// slices for each thread (9ff531f: one image of ResNet20 left the second thread 40 % of the work).
    static let batchesPerThread = 4
    static let slicesPerThread = 2
    /// Pixels of an image below which more images go through the micro-kernel together, for so many pixels, at least
    /// so many images. Chosen by its reason: the few pixels of a border keep the micro-kernel busy.
    static let pixelsOfSmallImage = 64
    static let pixelsTogether = 24
    static let smallImagesTogether = 6
    /// Images of more pixels that go together at most: six left two threads 66 and 62 of 128 images, four took 1 to 4
    /// % less time (2cf9355).
    static let imagesTogether = 4
    /// Scalars of a block of pixels of a 1×1 convolution, in twelves, of which two lie in the first-level cache
    /// beside the panel: 128-128@16 took 0.92 of its time on Zen 3 (b4c7aa9). In bytes of floats 14 KiB; the largest
    /// MR pixels are a unit.
    static let pointwiseBlock = 14 << 10
    static let pointwiseUnit = 12
    /// Rows of a panel from which on two of them fill the first-level cache, so that each is to be read for so many
    /// units at a time: on Zen 5 512-512@7 took 0.87 of its time, 256-256@14 0.98; 128-128@28 would take 1.04.
    static let deepPanel = 256
    static let pointwiseUnits = 8
    /// How many times fewer products with padded columns of a panel make it worth to exchange the operands in the
    /// gradient of weights: of 16-3@32 it took 0.24 of the time (e0fc491).
    static let savingByExchange = 2
  }

  /// Depthwise convolutions, and those whose groups have few channels.
  enum Taps {
    /// Products of a task of a forward pass. Chosen by its reason: fewer cost more to hand out than they take.
    static let products = 1 << 15
    /// Bytes of depthwise weights, or of their sums, that are taken together: a quarter of a first-level cache, as the
    /// pixels of some rows stay there too. 960 channels at 7 pixels took 0.94 of what they took with
    /// a half.
    static let cachedWeights = 8 << 10
    /// Bytes of a result from which on it streams past the caches: 960 channels at 7 pixels, 6 MB, took 0.87 of their
    /// time. There are few products between the stores.
    static let streamedResult = 4 << 20
    /// Parts of the pixels with sums of their own, and scalars of x and dy for each scalar of all sums. As many for
    /// any number of threads, so that results are the same. Chosen by its reason: adding up the sums is to stay a
    /// small part of the memory that is read.
    static let parts = 64
    static let operandsForSum = 16
    /// The least rows of dy between whose two uses it is to stay in the second-level cache, where both gradients are
    /// computed. Chosen by its reason: a row is read with its neighbours above and below.
    static let rowsOfBlock = 4
    /// Sums that a task adds up. Chosen by its reason: as `Tasks.scalars`, for several parts each.
    static let sums = 1 << 12
  }

  /// The gradient of weights by the direct algorithm.
  enum DirectWeights {
    /// Images are padded where segments are shorter than so many channels, as dy is packed for each segment; where
    /// there are fewer images; and where they have more pixels, of which the border is a small part. Chosen by its
    /// reason.
    static let channelsOfSegment = 64
    static let fewImages = 16
    static let pixelsOfLargeImage = 256
    /// Pixels that go through the micro-kernel together: as many as it packs (bfd1920). And the least images of a
    /// batch that is not padded. Chosen by its reason: border regions have few pixels.
    static let pixelsTogether = 256
    static let imagesTogether = 16
    /// Batches, and sums of weights, for each thread. Chosen by its reason: as `Tasks.perThread`.
    static let batchesPerThread = 4
  }

  /// Winograd's filtering.
  enum Winograd {
    /// Images go by Winograd's filtering from so many pixels on a side: those of 3×3 took 0.5 to 0.8 of their time
    /// (b485132).
    static let leastSide = 3
    /// Scalars between planes of components, a cache line of floats, and between blocks of channels: planes that lie
    /// a power of two apart share sets of a cache (4 KiB aliasing, seen in the prototype; its figures are not on
    /// record).
    static let componentPadding = 16
    static let blockPadding = 32
    /// Weights up to which each thread has a gradient of all of them, and both gradients come in one sweep over dy:
    /// steps of VGG16, ResNet20 and the autoencoder took 0.96 of their time, with what else ff5e7bd did.
    static let fewWeights = 64 * 64
    /// Images for each thread from which on a producer is fused, and scalars of an image up to which it stays in a
    /// cache (ff5e7bd).
    static let fusedImagesPerThread = 8
    static let fusedImage = 1 << 16
    /// Tiles that are taken together where images are computed as they are needed. Chosen by its reason: those of one
    /// image of 32×32.
    static let fusedTiles = 64
    /// What a scalar of weights costs to read from memory, in products; and the tiles that count at least, for one to
    /// three rows of sums take as long as four. Chosen by its reason, for one image (9ff531f).
    static let productsOfRead = 10
    static let leastTiles = 4
    /// Tiles up to which, and weights from which on, threads share outputs in place of tiles, each transforming the
    /// weights of its own: where weights are larger than images (1d9cb28); with cached weights, where tiles are fewer
    /// than outputs (9ff531f).
    static let fewTiles = 160
    static let manyWeights = 256 * 256
    static let manyCachedWeights = 64 * 64

    /// Tiles of a block, by the inputs, for the second-level cache: the 36 components of x take 166 kB with 32
    /// inputs, 221 kB with 64, 663 kB with 128. For 16 inputs 36 since 41b2535, as what is prefetched needs not be in
    /// the first-level cache; 48 with large blocks since f1d039c. The others were tuned on Zen 3; no figure of each
    /// is on record.
    static func tiles(inputs: Int, hasLargeBlocks: Bool) -> Int {
      inputs <= 32 ? 36 : inputs <= 64 ? 24 : inputs <= 128 ? 36 : hasLargeBlocks ? 48 : 64
    }
    /// Blocks of 16 outputs that are multiplied before they are transformed: eight with large blocks, as planes of
    /// 256 channels came from a slow third-level cache for every two (f1d039c).
    static func outputBlocks(inputs: Int, hasLargeBlocks: Bool) -> Int {
      inputs <= 16 ? 1 : inputs > 128 && hasLargeBlocks ? 8 : 2
    }

    /// Where threads share outputs: inputs whose weights are transformed just before use and stay in the second-level
    /// cache until then; inputs from which on one block of outputs goes at a time; and tiles of a block. Chosen by
    /// their reason (1d9cb28).
    static let depthByOutputs = 256
    static let manyInputs = 512
    static let blocksByOutputs = 2
    static let tilesByOutputs = 48
    /// Tiles up to which each thread transforms all of them for itself: it takes less time than to read them from
    /// another core (9ff531f: one image of VGG16 took 0.90 to 0.94 of its time).
    static let privateTiles = 32
    /// Inputs of a task that transforms weights. Chosen by its reason: two blocks of 16.
    static let transformedInputs = 32
  }

  /// The gradient of weights by Winograd's filtering.
  enum WinogradWeights {
    /// Tiles up to which threads share weights in place of tiles, where weights are many (e17bac8).
    static let fewTiles = 128
    /// Blocks of 16 inputs that a thread then takes together. Chosen by its reason: their sums, 36 planes of two
    /// blocks, are 72 KiB.
    static let inputBlocks = 2
    /// Scalars of the sums of all threads together: 128 MiB. Chosen by its reason: a limit of memory (e17bac8).
    static let partialSums = 1 << 25
    /// Parts of the tiles for each thread where weights are few. Chosen by its reason: sums are small, and a slow
    /// thread delays less.
    static let partsPerThread = 2

    /// Tiles that are multiplied at a time: planes of x and of dy stay in the second-level cache. Where weights are
    /// few, fewer tiles for images that are narrow or small, of which more tiles would only evict the sums. Tuned
    /// with 3a29cf5 and ff5e7bd, which give figures for all they changed together (64-64@32: 0.82).
    static func tiles(inputs: Int, height: Int, hasFewWeights: Bool) -> Int {
      !hasFewWeights ? 64 : inputs <= 32 || inputs * height <= 512 ? 32 : 128
    }
  }
}
