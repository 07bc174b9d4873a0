"""The component that makes a finding of wrong labels, and stops the run where it is an error."""
