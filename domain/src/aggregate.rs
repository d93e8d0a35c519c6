/// Implements cqrs-es' `Aggregate` for a type with `decide`, which returns the event of a command if it has one, and
/// `evolve`, which applies an event.
macro_rules! aggregate {
    ($aggregate:ident = $type:literal, $command:ident, $event:ident, $error:ident) => {
        impl cqrs_es::Aggregate for $aggregate {
            const TYPE: &'static str = $type;
            type Command = $command;
            type Event = $event;
            type Error = $error;
            type Services = ();

            async fn handle(
                &mut self,
                command: $command,
                (): &(),
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), $error> {
                if let Some(event) = self.decide(command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: $event) {
                self.evolve(event);
            }
        }
    };
}

pub(crate) use aggregate;
