//! The test application and what stands around it: databases, carriers, receivers.
