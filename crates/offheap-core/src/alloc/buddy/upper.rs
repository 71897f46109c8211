//! The buddy's larger orders: a bitmap of free blocks for each, split and joined under one lock.
//! A page here is what one word of the lower level covers.

use crate::alloc::bitmap::Bitmap;

/// Free blocks of whole pages. Orders count from one page on.
#[derive(Debug)]
pub(super) struct Upper {
    free: Vec<Bitmap>, // per order
    pages: usize,
    cold: Bitmap, // pages that are free and were given back
}

impl Upper {
    /// All pages free, in the largest aligned blocks: a forest when their number is no power of two.
    pub(super) fn new(pages: usize) -> Self {
        let orders = if pages == 0 { 0 } else { pages.ilog2() as usize + 1 };
        let free = (0..orders).map(|order| Bitmap::new(pages >> order)).collect();
        let mut upper = Self { free, pages, cold: Bitmap::new(pages) };
        let mut page = 0;
        while page < pages {
            let aligned = if page == 0 { usize::MAX.ilog2() } else { page.trailing_zeros() };
            let order = aligned.min((pages - page).ilog2()) as usize;
            upper.free[order].insert(page >> order);
            page += 1 << order;
        }
        upper
    }

    /// Takes a block, splitting a larger one if there is none of its order. Returns its first page.
    pub(super) fn take(&mut self, order: usize) -> Option<usize> {
        let from = (order..self.free.len()).find(|larger| !self.free[*larger].is_empty())?;
        let block = self.free[from].first()?;
        self.free[from].remove(block);
        let page = block << from;
        for half in (order..from).rev() {
            self.free[half].insert((page >> half) + 1); // the upper half stays free
        }
        if !self.cold.is_empty() {
            for used in page..page + (1 << order) {
                self.cold.remove(used);
            }
        }
        Some(page)
    }

    /// Puts a block back and joins it with its buddies as far as they are free.
    pub(super) fn put(&mut self, page: usize, mut order: usize) {
        let mut block = page >> order;
        while order + 1 < self.free.len() && self.free[order].has(block ^ 1) {
            self.free[order].remove(block ^ 1);
            block >>= 1;
            order += 1;
        }
        self.free[order].insert(block);
    }

    /// The largest free order.
    pub(super) fn largest(&self) -> Option<usize> {
        self.free.iter().rposition(|blocks| !blocks.is_empty())
    }

    /// Free pages and free blocks.
    pub(super) fn count(&self) -> (u64, u64) {
        let counts = self.free.iter().map(Bitmap::len);
        counts
            .enumerate()
            .fold((0, 0), |(pages, blocks), (order, len)| (pages + (len << order), blocks + len))
    }

    /// Calls `each` with first page and number of pages of every stretch that is free and has its
    /// pages; it has none afterwards.
    pub(super) fn cool(&mut self, mut each: impl FnMut(usize, usize)) {
        for order in 0..self.free.len() {
            for block in self.free[order].iter() {
                let (mut page, end) = (block << order, (block + 1) << order);
                while page < end {
                    let from = page;
                    while page < end && !self.cold.has(page) {
                        self.cold.insert(page);
                        page += 1;
                    }
                    if page > from {
                        each(from, page - from);
                    }
                    page += 1;
                }
            }
        }
    }

    /// Whether a page is in a free block; an error when it is in two, or when a pair is not joined.
    pub(super) fn free_pages(&self) -> Result<Vec<bool>, String> {
        let mut free = vec![false; self.pages];
        for (order, blocks) in self.free.iter().enumerate() {
            for block in blocks.iter() {
                if block & 1 == 0 && blocks.has(block + 1) && order + 1 < self.free.len() {
                    return Err(format!("blocks {block} of order {order} are not joined"));
                }
                for page in
                    free.get_mut(block << order..(block + 1) << order).ok_or("a block past the end")?
                {
                    if std::mem::replace(page, true) {
                        return Err(format!("block {block} of order {order} overlaps another"));
                    }
                }
            }
        }
        Ok(free)
    }
}
