use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::CustomerId;

/// Of all streams, one customer's are at most this part.
const CUSTOMER_PART: usize = 4;

/// How many streams are open, in all and of each customer.
#[derive(Clone)]
pub(crate) struct StreamPlaces {
    max: usize,
    open: Arc<Mutex<HashMap<CustomerId, usize>>>,
}

/// A stream's place, until dropped.
pub(crate) struct StreamPlace {
    customer: CustomerId,
    places: StreamPlaces,
}

impl StreamPlaces {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, open: Arc::default() }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<CustomerId, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place; `None` if there is none for this customer.
    pub(crate) fn take(&self, customer: CustomerId) -> Option<StreamPlace> {
        let mut open = self.open();
        let all: usize = open.values().sum();
        let own = open.get(&customer).copied().unwrap_or(0);
        if all >= self.max || own >= self.max.div_ceil(CUSTOMER_PART) {
            return None;
        }
        open.insert(customer, own + 1);
        Some(StreamPlace { customer, places: self.clone() })
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.places.open();
        match open.get_mut(&self.customer) {
            Some(own) if *own > 1 => *own -= 1,
            _ => {
                open.remove(&self.customer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn one_customer_has_a_part_of_the_places_and_gives_them_back() {
        let places = StreamPlaces::new(5);
        let (one, other) = (CustomerId(Uuid::from_u128(1)), CustomerId(Uuid::from_u128(2)));
        let held: Vec<_> = (0..3).map_while(|_| places.take(one)).collect();
        assert_eq!(held.len(), 2);
        let others: Vec<_> = (0..3).map_while(|_| places.take(other)).collect();
        assert_eq!(others.len(), 2);
        drop(held);
        assert!(places.take(one).is_some());
        assert_eq!(places.open().len(), 1);
    }
}
